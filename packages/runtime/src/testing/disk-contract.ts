/** What every Disk must do. `directory` exists and is empty; `settle` lets the disk's time go by. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Disk } from "../disk.ts";

export interface DiskUnderTest {
  disk: Disk;
  directory: string;
  settle<T>(promise: Promise<T>): Promise<T>;
}

async function contentOf(disk: Disk, path: string): Promise<number[]> {
  const file = await disk.open(path, "read");
  const bytes = new Uint8Array(await file.size());
  assert.equal(await file.read(bytes, 0), bytes.length);
  await file.close();
  return [...bytes];
}

export function diskContract(name: string, make: () => DiskUnderTest): void {
  const check = (what: string, body: (disk: Disk, directory: string) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const { disk, directory, settle } = make();
      await settle(body(disk, directory));
    });
  };

  check("what is written is read, also over the end and after a gap", async (disk, directory) => {
    const file = await disk.open(join(directory, "a"), "create");
    await file.write(Uint8Array.of(1, 2, 3), 0);
    await file.write(Uint8Array.of(9), 5);
    await file.datasync();
    assert.equal(await file.size(), 6);
    const target = new Uint8Array(10);
    assert.equal(await file.read(target, 1), 5);
    assert.deepEqual([...target.subarray(0, 5)], [2, 3, 0, 0, 9]);
    assert.equal(await file.read(target, 6), 0);
    await file.close();
  });

  check("a durable write lands where it should, among other writes", async (disk, directory) => {
    const path = join(directory, "a");
    const file = await disk.open(path, "create");
    await file.write(Uint8Array.of(1, 2, 3, 4, 5), 0);
    await file.truncate(8);
    await file.writeDurably(Uint8Array.of(7, 8), 1);
    await file.writeDurably(Uint8Array.of(9), 3);
    await file.close();
    assert.deepEqual(await contentOf(disk, path), [1, 7, 8, 9, 5, 0, 0, 0]);
  });

  check("truncate shortens, and lengthens with zeros", async (disk, directory) => {
    const path = join(directory, "a");
    const file = await disk.open(path, "create");
    await file.write(Uint8Array.of(1, 2, 3, 4), 0);
    await file.truncate(2);
    await file.truncate(4);
    await file.close();
    assert.deepEqual(await contentOf(disk, path), [1, 2, 0, 0]);
  });

  check("create empties, update keeps, and both read and update need the file", async (disk, directory) => {
    const path = join(directory, "a");
    for (const mode of ["read", "update"] as const) {
      await assert.rejects(disk.open(path, mode), { code: "ENOENT" });
    }
    const made = await disk.open(path, "create");
    await made.write(Uint8Array.of(1, 2), 0);
    await made.close();
    const updated = await disk.open(path, "update");
    await updated.write(Uint8Array.of(7), 1);
    await updated.close();
    assert.deepEqual(await contentOf(disk, path), [1, 7]);
    await (await disk.open(path, "create")).close();
    assert.deepEqual(await contentOf(disk, path), []);
  });

  check("directories: made with those above, listed, looked at, synced", async (disk, directory) => {
    const below = join(directory, "x", "y");
    await disk.makeDirectory(below);
    await disk.makeDirectory(below);
    await (await disk.open(join(below, "f"), "create")).close();
    await disk.syncDirectory(below);
    assert.deepEqual(await disk.readDirectory(below), ["f"]);
    assert.deepEqual(await disk.readDirectory(join(directory, "x")), ["y"]);
    assert.equal((await disk.stat(below))?.kind, "directory");
    const found = await disk.stat(join(below, "f"));
    assert.equal(found?.kind, "file");
    assert.equal(found?.sizeBytes, 0);
    assert.equal(await disk.stat(join(below, "none")), null);
    await assert.rejects(disk.readDirectory(join(directory, "none")), { code: "ENOENT" });
  });

  check("rename replaces, unlink removes, and both need what they name", async (disk, directory) => {
    const [a, b] = [join(directory, "a"), join(directory, "b")];
    for (const [path, byte] of [
      [a, 1],
      [b, 2],
    ] as const) {
      const file = await disk.open(path, "create");
      await file.write(Uint8Array.of(byte), 0);
      await file.close();
    }
    await disk.rename(a, b);
    assert.deepEqual(await contentOf(disk, b), [1]);
    assert.deepEqual(await disk.readDirectory(directory), ["b"]);
    await assert.rejects(disk.rename(a, b), { code: "ENOENT" });
    await disk.unlink(b);
    await assert.rejects(disk.unlink(b), { code: "ENOENT" });
  });

  check("a locked directory is refused by name of its holder, and free after release", async (disk, directory) => {
    const lock = await disk.lock(directory, "the first");
    await assert.rejects(disk.lock(directory, "the second"), (error: Error) => {
      assert.equal(error.name, "DirectoryLockedError");
      assert.match(error.message, /in use by .*the first/);
      return true;
    });
    await lock.release();
    await (await disk.lock(directory, "the second")).release();
  });
}
