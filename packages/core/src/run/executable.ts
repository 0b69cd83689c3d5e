// A graph made ready for devices of this process: one program per device, run side by side, that meet at a rendezvous.
import type { NDArray } from '../ndarray.ts'
import type { VariableResource } from '../resource.ts'
import type { Node } from '../graph/graph.ts'
import { after } from './awaitable.ts'
import type { Awaitable } from './device.ts'
import type { Program } from './program.ts'
import type { RunState } from './state.ts'
import type { Executable } from './target.ts'
import type { VariableStore } from './variables.ts'

/** One device's share of a graph. */
export interface Share {
  readonly program: Program
  /** For each input of the program, which feed it is. */
  readonly feeds: readonly number[]
  /** For each fetch of the program, which fetch of the graph it is. */
  readonly fetches: readonly number[]
}

/** Programs of one graph, or of the part of it that this process runs. */
export class LocalExecutable implements Executable {
  private readonly shares: readonly Share[]
  private readonly fetchCount: number
  private readonly variables: VariableStore
  /** Variables that surely need a value before a run, and the node that needs it. */
  private readonly demanded: ReadonlyMap<VariableResource, Node>

  constructor(
    shares: readonly Share[],
    fetchCount: number,
    variables: VariableStore,
    demanded: ReadonlyMap<VariableResource, Node>,
  ) {
    this.shares = shares
    this.fetchCount = fetchCount
    this.variables = variables
    this.demanded = demanded
  }

  check(): void {
    this.demanded.forEach((node, variable) => this.variables.demand(variable, node))
  }

  run(state: RunState, feeds: readonly NDArray[]): Awaitable<NDArray[]> {
    const results = new Array<NDArray>(this.fetchCount)
    const one = (share: Share): Awaitable<void> =>
      after(
        share.program.run(
          state,
          share.feeds.map((i) => feeds[i]!),
        ),
        (values) =>
          after(share.program.readFetches(values), (fetched) =>
            share.fetches.forEach((to, i) => (results[to] = fetched[i]!)),
          ),
      )
    const [only] = this.shares
    if (this.shares.length === 1 && only) return after(one(only), () => results)
    const guarded = this.shares.map(async (share) => {
      try {
        await one(share)
      } catch (error) {
        state.rendezvous.abort(error as Error)
        state.abort(error)
        throw error
      }
    })
    // All have to end before memory may be reused, and the first error is the one that counts.
    return Promise.allSettled(guarded).then((ended) => {
      const failed = ended.find((e) => e.status === 'rejected')
      if (failed) throw state.rendezvous.reason ?? failed.reason
      return results
    })
  }

  get programs(): readonly Program[] {
    return this.shares.map(({ program }) => program)
  }

  free(): void {
    this.shares.forEach(({ program }) => program.free())
  }
}
