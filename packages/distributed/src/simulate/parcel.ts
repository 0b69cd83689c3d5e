// What travels between simulated nodes.
import type { SimulatedNode } from './node.ts'

/** What keeps the order of what goes one way on one connection. */
export class Flow {
  /** The moments before which nothing more may reach the receiver's way in, and the receiver. */
  arrivesAt = 0
  deliveredAt = 0
}

/** Something on its way from one node to another. */
export interface Parcel {
  readonly from: SimulatedNode
  readonly to: SimulatedNode
  readonly bytes: number
  readonly flow: Flow
  readonly deliver: () => void
}
