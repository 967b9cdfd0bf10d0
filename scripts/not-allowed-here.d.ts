// Every package's tsconfig maps the rooms it may import to their sources, and all other `@vivarium/*` to this file.
// It is no module, so importing a room that the table in ARCHITECTURE.md does not allow fails to compile.
