// Every package's tsconfig maps the rooms it may import to their sources, and all other `@vivarium/*` to this
// file. It exports nothing, so importing a room that the house plan (ARCHITECTURE.md) does not allow fails to compile.
export {};
