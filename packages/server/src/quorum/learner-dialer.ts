/**
 * How a learner reaches the leader that was elected: some tries with pauses between, for the leader may still be on its
 * way to its post; at all its addresses at once; all within one budget of time. @see Learner.connectToLeader
 */
import type { Member } from "@vivarium/protocol";
import type { Clock, Connection, Network } from "@vivarium/runtime";
import type { Logger } from "../log/index.ts";
import { dial, quorumAddresses } from "./dial.ts";
import { PacketStream, type PacketStreamLimits } from "./packet-stream.ts";

export interface DialLeaderOptions extends PacketStreamLimits {
  network: Network;
  clock: Clock;
  logger: Logger;
  leader: Member;
  /** initLimit × tickTime: the longest silence of the leader until its owner says otherwise, in milliseconds. */
  initTimeoutMs: number;
  /** For all tries together: `connectToLearnerMasterLimit` × tickTime; by default `initTimeoutMs`. */
  budgetMs?: number;
  /** Default 5. */
  attempts?: number;
  /** `leaderConnectDelayDuringRetryMs`, default 100. */
  pauseMs?: number;
}

const DEFAULT_ATTEMPTS = 5;
const DEFAULT_PAUSE_MS = 100;

/** Resolves with a stream that has told nothing yet: set its callbacks at once. @throws Error that names the leader */
export async function dialLeader(options: DialLeaderOptions): Promise<PacketStream> {
  const { clock, logger, leader, initTimeoutMs, budgetMs = initTimeoutMs } = options;
  const { attempts = DEFAULT_ATTEMPTS, pauseMs = DEFAULT_PAUSE_MS } = options;
  const deadlineMs = clock.monotonicMs() + budgetMs;
  for (let attempt = 1; ; attempt++) {
    const result = await dialOnce(options, deadlineMs - clock.monotonicMs());
    if (result instanceof PacketStream) return result;
    const { problem } = result;
    if (attempt >= attempts || deadlineMs - clock.monotonicMs() <= pauseMs) {
      const tries = attempt === 1 ? "one try" : `${attempt} tries`;
      throw new Error(`cannot connect to the leader, server ${leader.id}, in ${tries}: ${problem}`);
    }
    logger.debug("the leader does not answer yet", { serverId: leader.id, attempt, problem });
    await new Promise<void>((resolve) => clock.setTimer(pauseMs, resolve));
  }
}

function dialOnce(options: DialLeaderOptions, timeoutMs: number): Promise<PacketStream | { problem: string }> {
  const { network, leader } = options;
  return new Promise((resolve) => {
    dial({
      network,
      addresses: quorumAddresses(leader.addresses),
      timeoutMs,
      lendsInput: true,
      onConnect: (connection) => resolve(streamTo(connection, options)),
      onFail: (problem) => resolve({ problem }),
    });
  });
}

function streamTo(connection: Connection, options: DialLeaderOptions): PacketStream {
  const stream = new PacketStream({ ...options, connection });
  stream.name = `server ${options.leader.id} at ${stream.name}`;
  stream.setReadTimeout(options.initTimeoutMs);
  return stream;
}
