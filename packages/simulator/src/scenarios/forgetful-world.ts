import { SeededRandom } from "@vivarium/runtime";
import { type StreamName, World } from "../world/world.ts";

/** Its disks lose all that was not synced. */
export class ForgetfulWorld extends World {
  override stream(name: StreamName): SeededRandom {
    return name === "disk" ? new Forgetful(0) : super.stream(name);
  }
}

/** What MemoryFile and MemoryDirectory ask for: is it kept (of two)? all, some, or nothing (of three)? */
class Forgetful extends SeededRandom {
  override int(below: number): number {
    return below === 2 ? 1 : 0;
  }
}
