// Network namespaces: every server gets a machine of its own as far as the network goes, so that real cables between
// real processes can be cut. Linux and root only.
//
//   server 1 ──┐                 the cables to the bridge are cut, one way too; a second cable from each server leads
//   server 2 ──┤ bridge          to the clients and is never cut, so that they go on asking a server that has lost
//   server 3 ──┘                 the others
//
// To its clients every server is at 127.0.0.1 and its port, as without namespaces.

import { spawnSync } from "node:child_process";
import { connect, createServer } from "node:net";
import { must, needPrograms, run } from "./command.mjs";

/** Addresses for trials of networks (RFC 2544), which nobody has. */
const peerAddress = (sid) => `198.18.0.${sid}`;
const clientsAddress = (sid, end) => `198.19.${sid}.${end}`;
const nobody = "02:00:00:00:00:ff";

const ip = (...args) => must("ip", args);

/** Why there can be no namespaces here; undefined if there can. */
export async function whyNoNamespaces() {
  if (process.platform !== "linux") return "only Linux has network namespaces";
  const name = `probe-${process.pid}`;
  try {
    await needPrograms(["ip"], ["iproute2"]);
    await ip("netns", "add", name);
    await ip("-n", name, "link", "add", "bridge", "type", "bridge");
    await ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "other");
    return undefined;
  } catch (error) {
    return error.message;
  } finally {
    await run("ip", ["netns", "delete", name]).catch(() => {});
  }
}

export class Namespaces {
  quorumPort = 2888;
  electionPort = 3888;
  #sids;
  #forwarders = [];
  #orphaned = () => this.#delete();
  /** A program that is told to end does so in order: what it has started ends with it. */
  #interrupted = () => process.exit(1);

  /** @param {number[]} sids */
  static async create(sids) {
    const namespaces = new Namespaces();
    namespaces.#sids = sids;
    process.once("exit", namespaces.#orphaned);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, namespaces.#interrupted);
    try {
      await namespaces.#make();
    } catch (error) {
      namespaces.remove();
      throw error;
    }
    return namespaces;
  }

  async #make() {
    const hub = this.#name("hub");
    await ip("netns", "add", hub);
    await ip("-n", hub, "link", "add", "bridge", "type", "bridge");
    await ip("-n", hub, "link", "set", "bridge", "up");
    for (const sid of this.#sids) {
      const server = this.#name(sid);
      const cable = this.#clientsCable(sid);
      await ip("netns", "add", server);
      await ip("-n", server, "link", "set", "lo", "up");
      await ip("-n", hub, "link", "add", `to${sid}`, "type", "veth", "peer", "name", "peers", "netns", server);
      await ip("-n", hub, "link", "set", `to${sid}`, "master", "bridge", "up");
      await ip("-n", server, "address", "add", `${peerAddress(sid)}/24`, "dev", "peers");
      await ip("-n", server, "link", "set", "peers", "up");
      await ip("link", "add", cable, "type", "veth", "peer", "name", "clients", "netns", server);
      await ip("address", "add", `${clientsAddress(sid, 1)}/30`, "dev", cable);
      await ip("link", "set", cable, "up");
      await ip("-n", server, "address", "add", `${clientsAddress(sid, 2)}/30`, "dev", "clients");
      await ip("-n", server, "link", "set", "clients", "up");
    }
  }

  #name(which) {
    return `interop-${process.pid}-${which}`;
  }

  #clientsCable(sid) {
    return `io${process.pid}-${sid}`;
  }

  /** Where the other servers find it. */
  host(sid) {
    return peerAddress(sid);
  }

  /** What a command must begin with to run there. */
  enter(sid) {
    return ["ip", "netns", "exec", this.#name(sid)];
  }

  /** From now on 127.0.0.1 and `port` lead to that port of the server. */
  forward(sid, port) {
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (near) => {
      const far = connect({ port, host: clientsAddress(sid, 2), noDelay: true });
      near.pipe(far);
      far.pipe(near);
      near.on("error", () => far.destroy()).on("close", () => far.destroy());
      far.on("error", () => near.destroy()).on("close", () => near.destroySoon());
    });
    this.#forwarders.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
  }

  /** Nothing passes between this server and the others. */
  unplug(sid) {
    return ip("-n", this.#name("hub"), "link", "set", `to${sid}`, "down");
  }

  plugIn(sid) {
    return ip("-n", this.#name("hub"), "link", "set", `to${sid}`, "up");
  }

  /** What `from` sends to `to` is lost, and nobody is told; the other way all passes. */
  block(from, to) {
    const neighbour = ["neighbour", "replace", peerAddress(to), "lladdr", nobody, "nud", "permanent"];
    return ip("-n", this.#name(from), ...neighbour, "dev", "peers");
  }

  unblock(from, to) {
    return ip("-n", this.#name(from), "neighbour", "delete", peerAddress(to), "dev", "peers");
  }

  /** Makes the cable of a server slow both ways. @returns {Promise<string>} how; rejects if this kernel cannot */
  async slowDown(sid) {
    await needPrograms(["tc"], ["iproute2"]);
    const ends = [
      [this.#name(sid), "peers"],
      [this.#name("hub"), `to${sid}`],
    ];
    const kinds = { "40 ms late": "netem delay 40ms 10ms", "1 Mbit/s": "tbf rate 1mbit burst 32kbit latency 400ms" };
    let problem = "";
    for (const [how, discipline] of Object.entries(kinds)) {
      const add = ([namespace, device]) =>
        must("tc", ["-n", namespace, "qdisc", "replace", "dev", device, "root", ...discipline.split(" ")]);
      try {
        for (const end of ends) await add(end);
        return how;
      } catch (error) {
        problem = error.message;
      }
    }
    throw new Error(problem);
  }

  async speedUp(sid) {
    await must("tc", ["-n", this.#name(sid), "qdisc", "delete", "dev", "peers", "root"]);
    await must("tc", ["-n", this.#name("hub"), "qdisc", "delete", "dev", `to${sid}`, "root"]);
  }

  /** Everything is as it was before; the servers must have ended. */
  remove() {
    process.off("exit", this.#orphaned);
    for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, this.#interrupted);
    for (const forwarder of this.#forwarders) forwarder.close();
    this.#delete();
  }

  /** In one go, because a program that ends cannot wait. The cables go with their ends. */
  #delete() {
    for (const which of ["hub", ...this.#sids]) spawnSync("ip", ["netns", "delete", this.#name(which)]);
    // A namespace lives on for as long as a process in it is dying.
    for (const sid of this.#sids) spawnSync("ip", ["link", "delete", this.#clientsCable(sid)]);
  }
}
