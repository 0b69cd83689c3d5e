// A study: nodes of given speeds and links, programs on them, failures, and the story of what happened. The same scenario is the same story.
import { optionRules, checkOptions } from '@shoal/core'
import { type NetworkOptions, SimulatedNetwork } from './network.ts'
import type { NodeSpec, SimulatedNode } from './node.ts'
import type { SimulatedProcess } from './process.ts'
import { type SettleOptions, SimulatedClock } from './simulatedClock.ts'
import type { TraceEvent } from './trace.ts'

/** What is studied. */
export interface ScenarioOptions extends Omit<NetworkOptions, 'trace'> {
  /** Is the story kept in `events`? Default true. A long run tells a lot. */
  readonly trace?: boolean
  /** The milliseconds until a node that failed by chance has its power back. Default 60,000. */
  readonly repairMs?: number
}

const hourMs = 3_600_000

/** `count` nodes that are alike but for their numbers: 'w0', 'w1', …. */
export const uniformNodes = (prefix: string, count: number, spec: Omit<NodeSpec, 'name'> = {}): NodeSpec[] =>
  Array.from({ length: count }, (_, index) => ({ ...spec, name: `${prefix}${index}` }))

/** Simulated nodes with what they run, on a clock and a network of their own. */
export class Scenario {
  readonly clock = new SimulatedClock()
  readonly network: SimulatedNetwork
  /** What happened up to now, in its order. */
  readonly events: TraceEvent[] = []
  readonly #repairMs: number

  /** @throws ValueError for numbers that cannot be, and for two nodes of one name. */
  constructor(options: ScenarioOptions) {
    const { trace = true, repairMs = 60_000, ...network } = options
    checkOptions(
      'a scenario',
      { trace, repairMs },
      { trace: optionRules.boolean, repairMs: optionRules.from(0) },
    )
    this.network = new SimulatedNetwork(this.clock, {
      ...network,
      trace: trace ? (event) => this.events.push(event) : undefined,
    })
    this.#repairMs = repairMs
    for (const node of this.network.nodes) this.#failByChance(node)
  }

  /** @throws NotFoundError when there is no node of this name. */
  node(name: string): SimulatedNode {
    return this.network.node(name)
  }

  /**
   * Runs a program on a node, now and after each restart of the node.
   * @returns settles as the first of its lives does that comes to an end by itself.
   * @throws NotFoundError when there is no node of this name.
   */
  start<T>(name: string, program: (process: SimulatedProcess) => Promise<T>): Promise<T> {
    const node = this.node(name)
    const end = Promise.withResolvers<T>()
    const live = (process: SimulatedProcess): void => void program(process).then(end.resolve, end.reject)
    node.whenRestarted(live)
    live(node.process)
    return end.promise
  }

  /** Lets time pass until a promise has settled; see `SimulatedClock.settle`. @throws DeadlineError. */
  settle<T>(promise: Promise<T>, options?: SettleOptions): Promise<T> {
    return this.clock.settle(promise, options)
  }

  #failByChance(node: SimulatedNode): void {
    if (node.failuresPerHour === 0) return
    this.clock.after(node.failures.exponential(hourMs / node.failuresPerHour), () => {
      node.powerOff()
      this.clock.after(this.#repairMs, () => {
        node.restart()
        this.#failByChance(node)
      })
    })
  }
}
