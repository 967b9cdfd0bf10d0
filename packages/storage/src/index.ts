/** Storage: transaction log, snapshots, epoch files and recovery, in Apache ZooKeeper's file formats. */
export { adler32 } from "./adler32.ts";
export { DataDirectories } from "./data-directories.ts";
export { EpochFiles } from "./epoch-files.ts";
export { Compression, type LogFile, listLogs, listSnapshots, type SnapshotFile } from "./file-names.ts";
export { type LogFileEnd, scanLogFile } from "./log-file-scanner.ts";
export type { Recovered, StateBuilder } from "./recovery.ts";
export { SnapshotContentParser } from "./snapshot-content-parser.ts";
export { writeContent } from "./snapshot-content-writer.ts";
export { readSnapshot } from "./snapshot-reader.ts";
export { writeSnapshot } from "./snapshot-writer.ts";
export { Storage, type StorageOptions } from "./storage.ts";
export { defaultStorageConfig, type StorageConfig } from "./storage-config.ts";
export { StorageError } from "./storage-error.ts";
export { readTxnLog } from "./txn-log-reader.ts";
export { TxnLogWriter, type TxnLogWriterOptions } from "./txn-log-writer.ts";
