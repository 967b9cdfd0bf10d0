/** The answer to a write, once its transaction is applied and before the next one is. */
import { ErrorCode, OpCode, type Zxid } from "@vivarium/protocol";
import { type TxnResult, writeResult } from "@vivarium/tree";
import type { ClientConnection, PendingRequest } from "./client-connection.ts";
import type { ZooKeeperServer } from "./zookeeper-server.ts";

export function replyToWrite(
  server: ZooKeeperServer,
  waiting: { connection: ClientConnection | null; request: PendingRequest | null },
  applied: { zxid: Zxid; result: TxnResult },
): void {
  const { connection, request } = waiting;
  if (connection === null || request === null || connection.state !== "open") return;
  if (connection.pending.shift() !== request) throw new Error("replies out of order: our bug");
  const { zxid, result } = applied;
  const at = connection.beginReply();
  const err = writeResult(connection.out, server.tree.nodes, request.type, result);
  if (err === ErrorCode.SESSIONMOVED) {
    connection.out.length = at;
    server.answered(connection, request, zxid);
    connection.close("the session moved to another connection");
    return;
  }
  connection.finishReply(at, { xid: request.xid, zxid, err });
  server.answered(connection, request, zxid);
  if (request.type === OpCode.closeSession) connection.close("closed by its client");
}
