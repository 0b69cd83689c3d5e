// A program on a simulated node, from its start to its end: its time, its connections, its work. What is dead does nothing any more.
import { ValueError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import type { Listener, ListenOptions, Transport } from '../transport/contract.ts'
import type { Chance } from './chance.ts'
import type { SimulatedNode } from './node.ts'
import { Processor } from './processor.ts'
import type { SimulatedClock } from './simulatedClock.ts'
import type { SimulatedStream } from './stream.ts'
import { SimulatedTransport } from './transport.ts'

/** A timer of a process. */
interface Timer {
  readonly action: () => void
  readonly cancel: () => void
}

/** One life of a node's program. */
export class SimulatedProcess {
  /** The node that it runs on. */
  readonly node: SimulatedNode
  /** The simulation's time; timers of a dead process never end, those of a paused one when it goes on. */
  readonly clock: Clock
  /** Connects it to the other nodes, and waits for them at addresses `name:port`. */
  readonly transport: Transport
  readonly #simulated: SimulatedClock
  readonly #chance: Chance
  readonly #processor: Processor
  readonly #timers = new Set<Timer>()
  readonly #streams = new Set<SimulatedStream>()
  readonly #listeners = new Map<number, ListenOptions>()
  /** What came while it was paused: timers that ended, and whatever else would have woken it. */
  readonly #late = new Set<Timer>()
  #held: (() => void)[] = []
  /** `late`: it goes on, but has not yet seen all that came while it was paused. */
  #state: 'running' | 'paused' | 'late' | 'dead' = 'running'

  /** Is made by its node. @param chance what the time that computing takes varies by. */
  constructor(node: SimulatedNode, clock: SimulatedClock, chance: Chance) {
    this.node = node
    this.#simulated = clock
    this.#chance = chance
    this.#processor = new Processor(clock)
    this.clock = { now: () => clock.now(), after: (ms, action) => this.#after(ms, action) }
    this.transport = new SimulatedTransport(this)
  }

  /** Numbers from 0 to below 1 that its program may draw. */
  get random(): () => number {
    return this.node.random
  }

  /** Has it not been ended? */
  get alive(): boolean {
    return this.#state !== 'dead'
  }

  /**
   * Takes the node's one processor for a while: what was asked for before comes first.
   * @param ms how long it takes at speed 1; the node's speed and jitter make of it what it takes here.
   * @returns settles when it is done; never where the process dies before.
   * @throws ValueError when `ms` is not a number from 0.
   */
  async compute(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new ValueError(`'${this.node.name}' cannot compute for ${ms} ms`)
    return this.#processor.compute(() => {
      const { name, speed, jitter, tell } = this.node
      const takes = (ms / speed) * this.#chance.factor(jitter)
      tell?.({ kind: 'compute', node: name, ms: takes })
      return takes
    })
  }

  /** Calls something in at the process: now, when it goes on, or never. Answers false where it is dead. */
  deliver(action: () => void): boolean {
    if (this.#state === 'running') action()
    else if (this.alive) this.#held.push(action)
    return this.alive
  }

  /** Calls something in as soon as this event is over. */
  wake(action: () => void): void {
    this.#simulated.after(0, () => this.deliver(action))
  }

  /** Who waits at a port. */
  listenerAt(port: number): ListenOptions | undefined {
    return this.#listeners.get(port)
  }

  /** Waits at a port, or at a free one where it is 0; answers undefined where it is taken. */
  listenAt(port: number, options: ListenOptions): Listener | undefined {
    let at = port || 49_152
    while (port === 0 && this.#listeners.has(at)) at++
    if (this.#listeners.has(at)) return undefined
    this.#listeners.set(at, options)
    return {
      address: `${this.node.name}:${at}`,
      close: async () => {
        if (this.#listeners.get(at) === options) this.#listeners.delete(at)
      },
    }
  }

  open(stream: SimulatedStream): void {
    this.#streams.add(stream)
  }

  shut(stream: SimulatedStream): void {
    this.#streams.delete(stream)
  }

  /** Stops it as it is. */
  pause(): void {
    if (!this.alive || this.#state === 'paused') return
    this.#state = 'paused'
    this.#processor.stop()
  }

  /** Lets it go on: first with the timers that have ended meanwhile, then with what came. */
  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'late'
    this.#processor.resume()
    this.#catchUp()
  }

  /** Ends it. `reset`: the node lives, and tells the peers of its connections. */
  die(reset: boolean): void {
    if (!this.alive) return
    this.#state = 'dead'
    this.#processor.stop()
    for (const { cancel } of this.#timers) cancel()
    for (const stream of this.#streams) stream.die(reset)
    this.#listeners.clear()
    this.#timers.clear()
    this.#late.clear()
    this.#held = []
  }

  #catchUp(): void {
    this.#simulated.after(0, () => {
      if (this.#state !== 'late') return
      const [timer] = this.#late
      if (timer) this.#late.delete(timer)
      const action = timer?.action ?? this.#held.shift()
      if (!action) {
        this.#state = 'running'
        return
      }
      action()
      this.#catchUp()
    })
  }

  #after(ms: number, action: () => void): () => void {
    if (!this.alive) return () => {}
    const end = (): void => {
      this.#timers.delete(timer)
      if (this.#state === 'running') action()
      else this.#late.add(timer)
    }
    const timer: Timer = { action, cancel: this.#simulated.after(ms, end) }
    this.#timers.add(timer)
    return () => {
      timer.cancel()
      this.#timers.delete(timer)
      this.#late.delete(timer)
    }
  }
}
