import assert from "node:assert/strict";
import { test } from "node:test";
import { extendHash, PathIndex } from "./path-index.ts";

/** Paths by id, so that an id's path can be compared as the store does. */
class Paths {
  readonly byId: Buffer[] = [];
  comparisons = 0;
  isTwin(id: number, other: number): boolean {
    return (this.byId[id] as Buffer).equals(this.byId[other] as Buffer);
  }
  isAt(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.comparisons++;
    return (this.byId[id] as Buffer).equals(bytes.subarray(start, end));
  }
}

test("what was put in is found, what was taken out is not, however they follow each other", () => {
  const paths = new Paths();
  const index = new PathIndex(paths);
  const present = new Set<number>();
  for (let i = 0; i < 20_000; i++) paths.byId.push(Buffer.from(`/parent/child-${i}`));
  let random = 1;
  for (let i = 0; i < 100_000; i++) {
    random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff;
    const id = (random >>> 4) % paths.byId.length;
    const path = paths.byId[id] as Buffer;
    assert.equal(index.find(path, 0, path.length), present.has(id) ? id : -1);
    if (present.delete(id)) {
      index.remove(path, 0, path.length, id);
    } else {
      index.insert(path, 0, path.length, id);
      present.add(id);
    }
  }
  for (const [id, path] of paths.byId.entries()) {
    assert.equal(index.find(path, 0, path.length), present.has(id) ? id : -1);
  }
});

test("nodes that wait are found, before and after room was made, and none comes twice", () => {
  const paths = new Paths();
  const index = new PathIndex(paths, 0x5eed);
  const insertLater = (id: number) => {
    const path = paths.byId[id] as Buffer;
    index.insertLater(extendHash(index.emptyPath, path, 0, path.length), id);
  };
  const mustFind = (count: number) => {
    for (const [id, path] of paths.byId.slice(0, count).entries()) assert.equal(index.find(path, 0, path.length), id);
  };
  for (let i = 0; i < 200_000; i++) paths.byId.push(Buffer.from(`/parent/child-${i}`));
  for (let id = 0; id < 1000; id++) insertLater(id);
  mustFind(1000);
  index.makeRoom(50_000);
  const { bytes } = index;
  for (let id = 1000; id < 50_000; id++) insertLater(id);
  mustFind(50_000);
  assert.equal(index.bytes, bytes, "there was room for as many");
  for (let id = 50_000; id < 200_000; id++) insertLater(id);
  mustFind(200_000);
  const twin = paths.byId.push(paths.byId[77_777] as Buffer) - 1;
  insertLater(twin);
  assert.throws(() => index.insertWaiting(), /two nodes of one path/);
});

test("a lookup compares about one path, because hashes differ", () => {
  const paths = new Paths();
  const index = new PathIndex(paths, 0x5eed);
  for (let i = 0; i < 50_000; i++) {
    const path = Buffer.from(`/a/${i.toString(36)}`);
    paths.byId.push(path);
    index.insert(path, 0, path.length, i);
  }
  for (const path of paths.byId) index.find(path, 0, path.length);
  assert.ok(paths.comparisons < paths.byId.length * 1.01, `${paths.comparisons} comparisons`);
});
