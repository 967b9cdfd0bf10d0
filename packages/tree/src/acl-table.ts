/**
 * Access control lists, each kept once however many nodes share it. Nodes hold a small integer in place of the list;
 * lists that no node uses any more are dropped. Ids are private to this server and never used again.
 * @see ReferenceCountedACLCache
 */
import { type ACL, OPEN_ACL_UNSAFE, Perms } from "@vivarium/protocol";

/** The id of the open ACL, world:anyone with all permissions. It is in no table and in no snapshot's table either. */
export const OPEN_ACL_ID = -1;
const OPEN: readonly ACL[] = [{ perms: Perms.ALL, id: { scheme: "world", id: "anyone" } }];
/**
 * What stands for an id that a snapshot's nodes use but its table lacks. Java wrote such snapshots; the log after them
 * brings the list, and until then nobody may do anything.
 */
const NOBODY: readonly ACL[] = [{ perms: 0, id: { scheme: "world", id: "anyone" } }];

interface Entry {
  readonly acl: readonly ACL[];
  readonly key: string;
  uses: number;
}

export class AclTable {
  readonly #entries = new Map<number, Entry>();
  readonly #ids = new Map<string, number>();
  #lastId = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** The highest id given out so far. */
  get lastId(): number {
    return this.#lastId;
  }

  /** The list behind an id; one that grants nothing when the id is unknown. */
  get(id: number): readonly ACL[] {
    if (id === OPEN_ACL_ID) return OPEN;
    return this.#entries.get(id)?.acl ?? NOBODY;
  }

  /** The id of a list, which is used once more from now on. */
  acquire(acl: readonly ACL[]): number {
    if (isOpen(acl)) return OPEN_ACL_ID;
    const key = keyOf(acl);
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = ++this.#lastId;
      this.#entries.set(id, { acl: [...acl], key, uses: 0 });
      this.#ids.set(key, id);
    }
    this.use(id);
    return id;
  }

  /** Counts one more use. */
  use(id: number): void {
    if (id > this.#lastId) this.#lastId = id;
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.uses++;
  }

  /** Counts one use less and forgets a list that has none left. */
  release(id: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && --entry.uses === 0) this.#drop(id, entry);
  }

  /** Takes an entry of a snapshot's table, used by nobody yet. */
  load(id: number, acl: readonly ACL[]): void {
    const key = keyOf(acl);
    this.#entries.set(id, { acl, key, uses: 0 });
    this.#ids.set(key, id);
    if (id > this.#lastId) this.#lastId = id;
  }

  dropUnused(): void {
    for (const [id, entry] of this.#entries) if (entry.uses === 0) this.#drop(id, entry);
  }

  /** All lists as they are now. */
  entries(): [aclId: number, acl: ACL[]][] {
    return [...this.#entries].map(([id, entry]) => [id, [...entry.acl]]);
  }

  #drop(id: number, entry: Entry): void {
    this.#entries.delete(id);
    if (this.#ids.get(entry.key) === id) this.#ids.delete(entry.key);
  }
}

function isOpen(acl: readonly ACL[]): boolean {
  if (acl === OPEN_ACL_UNSAFE) return true;
  const only = acl[0];
  return acl.length === 1 && only?.perms === Perms.ALL && only.id.scheme === "world" && only.id.id === "anyone";
}

// Two lists are the same when they have the same entries in the same order.
function keyOf(acl: readonly ACL[]): string {
  return JSON.stringify(acl.map(({ perms, id }) => [perms, id.scheme, id.id]));
}
