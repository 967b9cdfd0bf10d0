// Every cable between the servers of an ensemble, one proxy per ordered pair and port, so that what crosses it can be
// recorded, held back and cut. Each server knows the others as `member-N`; a hosts file of its own (the JVM's
// jdk.net.hosts.file) makes that name mean the cable from it to them, while configuration and election messages are the
// same as without cables. Addresses: member N listens on 127.S.0.N, the cable from M to N on 127.S.M.N.

import { mkdtempSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @typedef {{port: "quorum" | "election", dialer: number, acceptor: number}} Link one object per connection
 * @typedef {(link: Link, from: number, chunk: Buffer | null) => void} OnChunk null: that side sends no more
 */

export class Links {
  #subnet = 16 + Math.floor(Math.random() * 200);
  #dir = mkdtempSync(join(tmpdir(), "interop-links-"));
  #servers = [];
  #wires = new Set();
  #held = new Set();
  #onChunk;
  #sids;

  /** @param {{sids: number[], quorumPort?: number, electionPort?: number, onChunk?: OnChunk}} options */
  static async start({ sids, quorumPort = 2888, electionPort = 3888, onChunk = () => {} }) {
    const links = new Links();
    Object.assign(links, { quorumPort, electionPort });
    links.#onChunk = onChunk;
    links.#sids = sids;
    for (const dialer of sids) {
      for (const acceptor of sids) {
        if (dialer === acceptor) continue;
        await links.#listen({ port: "quorum", dialer, acceptor }, quorumPort);
        await links.#listen({ port: "election", dialer, acceptor }, electionPort);
      }
    }
    return links;
  }

  host(sid) {
    return `member-${sid}`;
  }

  #address(dialer, acceptor) {
    return `127.${this.#subnet}.${dialer === acceptor ? 0 : dialer}.${acceptor}`;
  }

  /** The file that tells one server's JVM where the members are. */
  hostsFile(sid) {
    const path = join(this.#dir, `hosts-${sid}`);
    const lines = [`127.0.0.1 localhost ${hostname()}`];
    for (const other of this.#sids) lines.push(`${this.#address(sid, other)} ${this.host(other)}`);
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  }

  /** What `from` sends to `to` waits here. */
  hold(from, to) {
    this.#held.add(`${from} ${to}`);
  }

  /** What was held back is delivered, on connections that still exist. */
  release(from, to) {
    this.#held.delete(`${from} ${to}`);
    for (const wire of this.#wires) if (wire.from === from && wire.to === to) wire.flush();
  }

  /** Breaks all connections between two servers; what was held back is lost. */
  cut(a, b) {
    for (const wire of [...this.#wires]) {
      if ((wire.from === a && wire.to === b) || (wire.from === b && wire.to === a)) wire.destroy();
    }
  }

  stop() {
    for (const server of this.#servers) server.close();
    for (const wire of [...this.#wires]) wire.destroy();
  }

  #listen({ port, dialer, acceptor }, portNumber) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const link = { port, dialer, acceptor };
      const far = connect({
        port: portNumber,
        host: this.#address(acceptor, acceptor),
        allowHalfOpen: true,
        noDelay: true,
      });
      this.#wire({ link, from: dialer, to: acceptor, source: near, target: far });
      this.#wire({ link, from: acceptor, to: dialer, source: far, target: near });
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(portNumber, this.#address(dialer, acceptor), resolve);
    });
  }

  #wire({ link, from, to, source, target }) {
    const waiting = [];
    const deliver = (chunk) => {
      this.#onChunk(link, from, chunk);
      if (chunk === null) target.end();
      else if (!target.destroyed) target.write(chunk);
    };
    const wire = {
      from,
      to,
      flush: () => {
        for (const chunk of waiting.splice(0)) deliver(chunk);
        if (source.destroyed) wire.destroy();
      },
      destroy: () => {
        this.#wires.delete(wire);
        waiting.length = 0;
        source.destroy();
        target.destroy();
      },
    };
    const accept = (chunk) => (this.#held.has(`${from} ${to}`) ? waiting.push(chunk) : deliver(chunk));
    this.#wires.add(wire);
    source.on("data", accept);
    source.on("end", () => accept(null));
    source.on("error", () => {});
    source.on("close", () => {
      // What is held back may still be delivered: until then the other side does not hear of this.
      if (this.#held.has(`${from} ${to}`)) return;
      this.#wires.delete(wire);
      target.destroySoon();
    });
  }
}
