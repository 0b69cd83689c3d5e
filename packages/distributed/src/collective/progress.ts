// How far one member has come, whatever generation it is in: the exchanges that were decided, and the one of which it does not know.

/** A part of an exchange that this member has the whole result of. */
export interface FinishedPart {
  readonly signature: string
  readonly value: unknown
  /** What is to be done when the result is handed out. */
  readonly kept: () => void
}

/** An exchange that this member has all results of. */
export interface Finished {
  readonly number: number
  readonly key: string
  readonly parts: ReadonlyMap<string, FinishedPart>
}

/** What outlives a generation. */
export class Progress {
  /** The number of the next exchange: so many were decided. */
  next = 0
  /** Confirmed by this member, while it has not learnt whether all others confirmed it too. */
  inDoubt: Finished | undefined
  /** Decided, as was learnt with a new generation, and not yet handed out here. */
  retained: Finished | undefined

  /** Is the next exchange one that may have been decided? */
  get doubts(): boolean {
    return this.inDoubt?.number === this.next
  }

  /**
   * Learns that exchanges before `next` were decided and no others: what was in doubt is handed out when it is asked for again, or was never.
   * @param anew whether this member is to start from there with a state that others give it.
   */
  settle(next: number, anew: boolean): void {
    if (anew) this.retained = undefined
    else if (this.next < next) this.retained = this.inDoubt
    this.inDoubt = undefined
    this.next = next
  }
}
