/**
 * The peer sent bytes that cannot be what they claim to be: a length beyond the end, a count that cannot fit, a
 * frame over the limit. It concerns one connection or one file and is answered by closing that one.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}
