// A lease: the right to write checkpoints, which whoever took it last has. It is numbered, so that an older one is known when it comes back.
import { ShoalError } from '@shoal/core'

/** Who has the right. */
export interface LeaseHolder {
  /** Counted from 1; 0 before anybody took it. */
  readonly epoch: number
  /** What the holder said of himself. */
  readonly holder: string
}

/** Where the right is kept: all who may take it must see the same. */
export interface Lease {
  /** Takes the right from whoever has it. @returns the epoch, larger than all before and nobody else's. */
  claim(holder: string): Promise<number>
  /** Who took it last. */
  newest(): Promise<LeaseHolder>
}

/** The right to write checkpoints is somebody else's by now. */
export class SupersededError extends ShoalError {
  override readonly name: string = 'SupersededError'
}
