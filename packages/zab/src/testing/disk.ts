import type { Zxid } from "@vivarium/protocol";
import type { LogEntry } from "../committed-log.ts";

/** What survives a crash. */
export class TestDisk {
  log: LogEntry[] = [];
  snapshot: LogEntry[] = [];
  snapshotZxid: Zxid = 0;
  acceptedEpoch = 0;
  currentEpoch = 0;

  get lastZxid(): Zxid {
    return this.log.at(-1)?.zxid ?? this.snapshotZxid;
  }

  cut(last: Zxid): void {
    this.log = this.log.filter(({ zxid }) => zxid <= last);
    // A real disk would have an older snapshot; this one keeps one only, and makes the older one of it.
    if (this.snapshotZxid > last) {
      this.snapshot = this.snapshot.filter(({ zxid }) => zxid <= last);
      this.snapshotZxid = this.snapshot.at(-1)?.zxid ?? 0;
    }
  }
}
