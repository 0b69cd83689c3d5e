// A machine has many addresses, of which some lead nowhere from here: they are tried in turn, and the one that worked comes first the next time.
import { ConnectError, ConnectionLostError, DeadlineError, SecurityError } from '@shoal/distributed/peers'

/** The ways to other nodes. */
export class Ways {
  readonly #addressesTo: (nodeId: string) => readonly string[]
  readonly #good = new Map<string, string>()

  /** @param addressesTo where a node may be listening now, the likeliest first. */
  constructor(addressesTo: (nodeId: string) => readonly string[]) {
    this.#addressesTo = addressesTo
  }

  /**
   * Reaches a node at one of its addresses.
   * @throws ConnectionLostError for a node of which no address is known; what `reach` throws at the last one, or at once where it is not about the way.
   */
  async reach<T>(nodeId: string, reach: (address: string) => Promise<T>): Promise<T> {
    const good = this.#good.get(nodeId)
    const known = this.#addressesTo(nodeId)
    const inOrder = good !== undefined && known.includes(good) ? [good, ...known] : known
    let problem: unknown = new ConnectionLostError(`'${nodeId}' is not connected`)
    for (const address of new Set(inOrder)) {
      try {
        const reached = await reach(address)
        this.#good.set(nodeId, address)
        return reached
      } catch (error) {
        const isOfTheWay = [ConnectError, DeadlineError, SecurityError].some((Kind) => error instanceof Kind)
        if (!isOfTheWay) throw error
        problem = error
      }
    }
    throw problem
  }
}
