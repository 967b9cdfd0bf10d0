/** The settings of storage, by ZooKeeper's names; units last. Defaults are Apache's. */
import { Compression } from "./file-names.ts";

export interface StorageConfig {
  /** How far a log file is extended at a time; 0 for not ahead. */
  preAllocSizeKb: number;
  /** A snapshot is taken after so many transactions, less a random part of up to half. */
  snapCount: number;
  /** A snapshot is taken after so much log, less a random part of up to half; 0 for never. */
  snapSizeLimitInKb: number;
  /** A log file larger than this is followed by a new one; 0 for no limit. */
  txnLogSizeLimitInKb: number;
  /** False reports transactions as safe that a power failure may take. */
  forceSync: boolean;
  fsyncWarningThresholdMs: number;
  flushDelayMs: number;
  maxBatchSize: number;
  snapshotCompression: Compression;
  serializeLastProcessedZxid: boolean;
  trustEmptySnapshot: boolean;
  dbAutoCreate: boolean;
  dataDirAutoCreate: boolean;
  snapRetainCount: number;
  /** 0 for no purging. */
  purgeIntervalHours: number;
}

export const defaultStorageConfig: Readonly<StorageConfig> = {
  preAllocSizeKb: 64 * 1024,
  snapCount: 100_000,
  snapSizeLimitInKb: 4 * 1024 * 1024,
  txnLogSizeLimitInKb: 0,
  forceSync: true,
  fsyncWarningThresholdMs: 1000,
  flushDelayMs: 0,
  maxBatchSize: 1000,
  snapshotCompression: Compression.none,
  serializeLastProcessedZxid: true,
  trustEmptySnapshot: false,
  dbAutoCreate: true,
  dataDirAutoCreate: true,
  snapRetainCount: 3,
  purgeIntervalHours: 0,
};
