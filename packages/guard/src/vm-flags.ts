/** How Node.js must be started for `measure`: so that nothing happens in another thread or at a time of its own. */
export const vmFlags = [
  "--expose-gc",
  // Garbage collection and compilation take place in the one thread, at the same points of every run.
  "--single-threaded",
  // MB: more than any measurement allocates, so that none is collected.
  "--min-semi-space-size=128",
  "--max-semi-space-size=128",
  // The collections between measurements do not throw compiled functions away.
  "--no-flush-bytecode",
  "--random-seed=1",
  "--hash-seed=1",
];
