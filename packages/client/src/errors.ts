/**
 * What a call may be refused with: one class per error code of the protocol, so that `instanceof` tells them apart, and
 * a few that only a client can know. Every error carries the operation, its path and whether the change it asked for
 * may have been made all the same: that is what decides if a retry is safe.
 */
import { ErrorCode, errorName, ZooKeeperError } from "@vivarium/protocol";

export interface ErrorContext {
  /** The operation, in ZooKeeper's words: "create", "getData". */
  op: string;
  path?: string | undefined;
  /** True when the request was sent and no answer came, so that a write may have been applied. Default false. */
  mayHaveHappened?: boolean;
  /** What is wrong and what to do, for people. */
  detail?: string | undefined;
  cause?: unknown;
}

/** Base of everything a call rejects with. `code` is the protocol's number. */
export class RequestError extends ZooKeeperError {
  override readonly name: string;
  readonly op: string;
  /** True: the write may have been applied although no answer came. Always false for reads and for refusals. */
  readonly mayHaveHappened: boolean;
  /** In a failed multi, the position of the operation at fault; otherwise undefined. */
  declare readonly index?: number;

  constructor(code: number, context: ErrorContext & { index?: number }) {
    super(code, context.path);
    this.name = new.target.name;
    this.op = context.op;
    this.mayHaveHappened = context.mayHaveHappened ?? false;
    if (context.index !== undefined) this.index = context.index;
    this.message = messageOf(code, context);
    if (context.cause !== undefined) this.cause = context.cause;
    // Again, because the first line of a stack is written when it is captured.
    Error.captureStackTrace(this, new.target);
  }
}

function messageOf(code: number, context: ErrorContext): string {
  const where = context.path === undefined ? context.op : `${context.op} ${context.path}`;
  const detail = context.detail === undefined ? "" : `: ${context.detail}`;
  const doubt = context.mayHaveHappened === true ? " (the change may have been made all the same)" : "";
  return `${errorName(code)} in ${where}${detail}${doubt}`;
}

export class SystemError extends RequestError {}
export class RuntimeInconsistencyError extends RequestError {}
export class DataInconsistencyError extends RequestError {}
/** The connection broke before the answer came. */
export class ConnectionLossError extends RequestError {}
export class MarshallingError extends RequestError {}
export class UnimplementedError extends RequestError {}
export class OperationTimeoutError extends RequestError {}
export class BadArgumentsError extends RequestError {}
export class UnknownSessionError extends RequestError {}
export class NewConfigNoQuorumError extends RequestError {}
export class ReconfigInProgressError extends RequestError {}
export class ApiError extends RequestError {}
export class NoNodeError extends RequestError {}
export class NoAuthError extends RequestError {}
export class BadVersionError extends RequestError {}
export class NoChildrenForEphemeralsError extends RequestError {}
export class NodeExistsError extends RequestError {}
export class NotEmptyError extends RequestError {}
/** The session is over: its ephemeral nodes and watches are gone. */
export class SessionExpiredError extends RequestError {}
export class InvalidCallbackError extends RequestError {}
export class InvalidAclError extends RequestError {}
export class AuthFailedError extends RequestError {}
export class SessionMovedError extends RequestError {}
/** A write was sent to a server that is cut off from its quorum and only serves reads. */
export class NotReadOnlyError extends RequestError {}
export class EphemeralOnLocalSessionError extends RequestError {}
export class NoWatcherError extends RequestError {}
/** No answer before the call's deadline. */
export class RequestTimeoutError extends RequestError {}
export class ReconfigDisabledError extends RequestError {}
export class SessionClosedRequireSaslAuthError extends RequestError {}
export class QuotaExceededError extends RequestError {}
export class ThrottledOpError extends RequestError {}

/** The caller's AbortSignal fired; `cause` is its reason. */
export class AbortError extends OperationTimeoutError {}
/** The client was closed, by itself or with all its views. */
export class ClosedError extends SessionExpiredError {}
/** `maxQueuedRequests` calls are waiting already. */
export class QueueFullError extends ThrottledOpError {}
/** The answer is larger than `maxReplyBytes`. */
export class ReplyTooLargeError extends MarshallingError {}

type RequestErrorClass = new (code: number, context: ErrorContext & { index?: number }) => RequestError;

const classes = new Map<number, RequestErrorClass>([
  [ErrorCode.SYSTEMERROR, SystemError],
  [ErrorCode.RUNTIMEINCONSISTENCY, RuntimeInconsistencyError],
  [ErrorCode.DATAINCONSISTENCY, DataInconsistencyError],
  [ErrorCode.CONNECTIONLOSS, ConnectionLossError],
  [ErrorCode.MARSHALLINGERROR, MarshallingError],
  [ErrorCode.UNIMPLEMENTED, UnimplementedError],
  [ErrorCode.OPERATIONTIMEOUT, OperationTimeoutError],
  [ErrorCode.BADARGUMENTS, BadArgumentsError],
  [ErrorCode.UNKNOWNSESSION, UnknownSessionError],
  [ErrorCode.NEWCONFIGNOQUORUM, NewConfigNoQuorumError],
  [ErrorCode.RECONFIGINPROGRESS, ReconfigInProgressError],
  [ErrorCode.APIERROR, ApiError],
  [ErrorCode.NONODE, NoNodeError],
  [ErrorCode.NOAUTH, NoAuthError],
  [ErrorCode.BADVERSION, BadVersionError],
  [ErrorCode.NOCHILDRENFOREPHEMERALS, NoChildrenForEphemeralsError],
  [ErrorCode.NODEEXISTS, NodeExistsError],
  [ErrorCode.NOTEMPTY, NotEmptyError],
  [ErrorCode.SESSIONEXPIRED, SessionExpiredError],
  [ErrorCode.INVALIDCALLBACK, InvalidCallbackError],
  [ErrorCode.INVALIDACL, InvalidAclError],
  [ErrorCode.AUTHFAILED, AuthFailedError],
  [ErrorCode.SESSIONMOVED, SessionMovedError],
  [ErrorCode.NOTREADONLY, NotReadOnlyError],
  [ErrorCode.EPHEMERALONLOCALSESSION, EphemeralOnLocalSessionError],
  [ErrorCode.NOWATCHER, NoWatcherError],
  [ErrorCode.REQUESTTIMEOUT, RequestTimeoutError],
  [ErrorCode.RECONFIGDISABLED, ReconfigDisabledError],
  [ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH, SessionClosedRequireSaslAuthError],
  [ErrorCode.QUOTAEXCEEDED, QuotaExceededError],
  [ErrorCode.THROTTLEDOP, ThrottledOpError],
]);

/** The error for a code that a server sent, or a plain RequestError for one that ZooKeeper does not have. */
export function requestError(code: number, context: ErrorContext & { index?: number }): RequestError {
  const Class = classes.get(code) ?? RequestError;
  return new Class(code, context);
}

/** The connect string, an option or an argument is wrong; nothing was sent. */
export class ClientOptionError extends TypeError {
  override readonly name = "ClientOptionError";
}
