/** How large the proposals of a term were, in bytes, as the four-letter words srvr and mntr tell it. @see BufferStats */
export class ProposalSizes {
  /** -1: there was none. */
  last = -1;
  min = -1;
  max = -1;

  add(bytes: number): void {
    this.last = bytes;
    if (this.min === -1 || bytes < this.min) this.min = bytes;
    if (bytes > this.max) this.max = bytes;
  }

  toString(): string {
    return `${this.last}/${this.min}/${this.max}`;
  }
}
