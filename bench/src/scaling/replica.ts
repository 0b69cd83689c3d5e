// What the strategies have in common: replicas on machines of their own, each of which makes one step after the other.

/** One of those who train together. */
export interface Replica {
  /** Its machine. */
  readonly name: string
  /** Makes the next step. */
  readonly step: () => Promise<unknown>
}
