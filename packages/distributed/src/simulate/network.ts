// What lies between the simulated nodes: every byte takes its time, goes through the sender's way out and the receiver's way in, and may be held up.
import type { OptionRules } from '@shoal/core'
import { checkOptions, NotFoundError, optionRules, ValueError } from '@shoal/core'
import type { FrameOptions } from '../frame/limits.ts'
import { Chance } from './chance.ts'
import { type NodeSpec, SimulatedNode } from './node.ts'
import type { Parcel } from './parcel.ts'
import { SegmentMemory } from './segment.ts'
import type { SimulatedClock } from './simulatedClock.ts'
import type { Tell, TraceEvent } from './trace.ts'
import { transferMs } from './uplink.ts'

/** What a network is like. */
export interface NetworkOptions {
  readonly nodes: readonly NodeSpec[]
  /** What all chance follows from: a whole number. Default 0. */
  readonly seed?: number
  /** Streams take turns after so many bytes. Smaller is nearer to the truth and takes longer. Default 16,384. */
  readonly segmentBytes?: number
  /** How many of the segments are lost and sent again: from 0 to 1. Default 0. */
  readonly lossRate?: number
  /** The milliseconds that a lost segment, and what follows it on its stream, comes later. Default 200: the least that Linux waits. */
  readonly retransmitMs?: number
  /** Of all connections. */
  readonly frames?: FrameOptions
  /** Told of all that happens. Default: nobody is. */
  readonly trace?: ((event: TraceEvent) => void) | undefined
}

const rules: OptionRules<NetworkOptions> = {
  nodes: optionRules.list('a list of nodes', () => true),
  seed: optionRules.whole(0),
  segmentBytes: optionRules.whole(1),
  lossRate: optionRules.from(0),
  retransmitMs: optionRules.from(0),
  frames: optionRules.any,
  trace: optionRules.function,
}

/** Nodes, and the time it takes from one to another. */
export class SimulatedNetwork {
  readonly clock: SimulatedClock
  readonly seed: number
  readonly segmentBytes: number
  readonly memory = new SegmentMemory()
  readonly frames: FrameOptions
  /** Takes what happened, where somebody wants to know. */
  readonly tell: Tell | undefined
  readonly nodes: readonly SimulatedNode[]
  readonly #byName: ReadonlyMap<string, SimulatedNode>
  readonly #lossRate: number
  readonly #retransmitMs: number
  readonly #loss: Chance
  /** By the two ends, each way: what waits until the link is mended. */
  readonly #cuts = new Map<string, { readonly parcel: Parcel; readonly lagMs: number }[]>()

  /** @throws ValueError for numbers that cannot be, and for two nodes of one name. */
  constructor(clock: SimulatedClock, options: NetworkOptions) {
    checkOptions('a simulated network', options, rules)
    const { nodes, seed = 0, segmentBytes = 16_384, lossRate = 0, retransmitMs = 200 } = options
    const { frames = {}, trace } = options
    this.clock = clock
    this.seed = seed
    this.segmentBytes = segmentBytes
    this.frames = frames
    this.tell = trace && ((event) => trace({ at: clock.now(), ...event }))
    this.#lossRate = lossRate
    this.#retransmitMs = retransmitMs
    this.#loss = new Chance(seed, 0)
    this.nodes = nodes.map((spec, index) => new SimulatedNode(this, spec, index))
    this.#byName = new Map(this.nodes.map((node) => [node.name, node]))
    if (this.#byName.size < nodes.length) throw new ValueError('two nodes of a network have one name')
  }

  /** @throws NotFoundError when there is no node of this name. */
  node(name: string): SimulatedNode {
    const node = this.#byName.get(name)
    if (!node) throw new NotFoundError(`there is no node '${name}' in the simulated network`)
    return node
  }

  /** Is there a node of this name? */
  has(name: string): boolean {
    return this.#byName.has(name)
  }

  /** Lets nothing through between nodes on one side and nodes on the other. What is sent waits, as senders send it again and again. @throws NotFoundError. */
  cut(side: readonly string[], other: readonly string[]): void {
    for (const key of this.#links(side, other)) if (!this.#cuts.has(key)) this.#cuts.set(key, [])
    this.tell?.({ kind: 'cut', nodes: side, others: other })
  }

  /** Lets everything through again, first what waited. @throws NotFoundError. */
  mend(side: readonly string[], other: readonly string[]): void {
    this.tell?.({ kind: 'mend', nodes: side, others: other })
    for (const key of this.#links(side, other)) {
      const waited = this.#cuts.get(key) ?? []
      this.#cuts.delete(key)
      for (const { parcel, lagMs } of waited) this.#arrive(parcel, lagMs)
    }
  }

  /** Takes a parcel that begins to leave its node now. */
  carry(parcel: Parcel): void {
    const { from, to, bytes, flow } = parcel
    if (!from.on) return
    const near = from === to
    if (!near) from.traffic.sent += bytes
    const lost = !near && this.#lossRate > 0 && this.#loss.uniform() < this.#lossRate
    const delayMs = near ? 0 : from.latencyMs + to.latencyMs + (lost ? this.#retransmitMs : 0)
    flow.arrivesAt = Math.max(flow.arrivesAt, this.clock.now() + delayMs)
    // Its last byte comes so much after its first.
    const lagMs = near ? 0 : transferMs(bytes, from.up)
    this.clock.at(flow.arrivesAt, () => this.#arrive(parcel, lagMs), true)
  }

  /** The first byte is at the receiver's way in, which serves what came first first. */
  #arrive(parcel: Parcel, lagMs: number): void {
    const { from, to, bytes, flow } = parcel
    const cut = this.#cuts.get(linkOf(from.name, to.name))
    if (cut) {
      cut.push({ parcel, lagMs })
      return
    }
    const now = this.clock.now()
    const near = from === to
    const deliver = (): void => {
      if (!to.on) return
      if (!near) to.traffic.received += bytes
      parcel.deliver()
    }
    if (!near) return to.downlink.take({ flow, bytes, notBefore: now + lagMs, deliver })
    flow.deliveredAt = Math.max(now, flow.deliveredAt)
    this.clock.at(flow.deliveredAt, deliver)
  }

  #links(side: readonly string[], other: readonly string[]): readonly string[] {
    for (const name of [...side, ...other]) this.node(name)
    return side.flatMap((a) => other.flatMap((b) => [linkOf(a, b), linkOf(b, a)]))
  }
}

/** One way from one node to another. */
const linkOf = (from: string, to: string): string => `${from}\n${to}`
