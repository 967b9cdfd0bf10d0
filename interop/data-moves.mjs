export const moves = { name: "data", run: async () => [] };
