// A simulated machine: how fast it computes and is connected, what runs on it, and what befalls it.
import type { OptionRules } from '@shoal/core'
import { checkOptions, optionRules } from '@shoal/core'
import type { PeerIdentity } from '../transport/contract.ts'
import { Chance } from './chance.ts'
import { Downlink } from './downlink.ts'
import type { SimulatedNetwork } from './network.ts'
import { SimulatedProcess } from './process.ts'
import type { FaultEvent, Tell } from './trace.ts'
import { type Rate, Uplink } from './uplink.ts'

/** What a node is like. */
export interface NodeSpec {
  /** Its name, and its host in addresses. */
  readonly name: string
  /** What it is there for, as its peers see it. Default: nobody said. */
  readonly role?: string
  /** How fast it computes: at 2, half as long as it is said to take. Default 1. */
  readonly speed?: number
  /** How much faster or slower than that it may be for good: the standard deviation of the logarithm, drawn once. Default 0. */
  readonly speedSpread?: number
  /** How much the time for one piece of work varies: the standard deviation of its logarithm, drawn each time. The mean stays. Default 0. */
  readonly jitter?: number
  /** What its connections share on the way out. Default 125,000,000: 1 Gb/s. */
  readonly bytesPerSecond?: number
  /** What they share on the way in. Default: as on the way out. */
  readonly downBytesPerSecond?: number
  /** Milliseconds to where the nodes' ways meet: what one node sends another arrives after the latency of both. Default 0.1. */
  readonly latencyMs?: number
  /** How often it loses its power, on average; only a scenario lets that happen. Default 0. */
  readonly failuresPerHour?: number
}

/** What a node's numbers may be, for `checkOptions`. */
const rules: OptionRules<NodeSpec> = {
  name: optionRules.text,
  role: optionRules.any,
  speed: optionRules.from(Number.MIN_VALUE),
  speedSpread: optionRules.from(0),
  jitter: optionRules.from(0),
  bytesPerSecond: optionRules.from(Number.MIN_VALUE),
  downBytesPerSecond: optionRules.from(Number.MIN_VALUE),
  latencyMs: optionRules.from(0),
  failuresPerHour: optionRules.from(0),
}

/** How many streams of chance a node has: what its speed, its work, its signs of life, its failures and its programs follow from. */
const streams = 5

/** A machine of a simulated network. It runs one process at a time. */
export class SimulatedNode {
  readonly name: string
  /** Who it is, for its peers. */
  readonly identity: PeerIdentity
  readonly failuresPerHour: number
  /** How fast it computes; counts for what is begun from now on, as do the numbers below. */
  speed: number
  jitter: number
  latencyMs: number
  /** The ways out and in, whose rates may be changed. */
  readonly up: Rate
  readonly down: Rate
  /** The way in, where what comes takes turns. */
  readonly downlink: Downlink
  /** What it sent to and received from other nodes, in bytes. */
  readonly traffic = { sent: 0, received: 0 }
  /** How its failures come about. */
  readonly failures: Chance
  readonly network: SimulatedNetwork
  /** Takes what happened here, where somebody wants to know. */
  readonly tell: Tell | undefined
  readonly #jitterChance: Chance
  readonly #signs: Chance
  readonly #programs: Chance
  readonly #uplink: Uplink
  readonly #loopback: Uplink
  readonly #starts: ((process: SimulatedProcess) => void)[] = []
  #process: SimulatedProcess
  #on = true

  /** Is made by its network. @param index which of the nodes it is. @throws ValueError for a number that cannot be. */
  constructor(network: SimulatedNetwork, spec: NodeSpec, index: number) {
    checkOptions(`the node '${spec.name}'`, spec, rules)
    const { name, role = '', speed = 1, speedSpread = 0, jitter = 0, latencyMs = 0.1 } = spec
    const { bytesPerSecond = 125e6, downBytesPerSecond = bytesPerSecond, failuresPerHour = 0 } = spec
    const chance = (stream: number): Chance => new Chance(network.seed, 1 + index * streams + stream)
    this.network = network
    this.tell = network.tell
    this.name = name
    this.identity = { cluster: 'simulated', node: name, role }
    this.speed = speed * chance(0).factor(speedSpread)
    this.#jitterChance = chance(1)
    this.#signs = chance(2)
    this.failures = chance(3)
    this.#programs = chance(4)
    this.jitter = jitter
    this.latencyMs = latencyMs
    this.failuresPerHour = failuresPerHour
    this.up = { bytesPerSecond }
    this.down = { bytesPerSecond: downBytesPerSecond }
    this.downlink = new Downlink(network.clock, this.down)
    this.#uplink = new Uplink(network.clock, this.up, network.segmentBytes)
    this.#loopback = new Uplink(network.clock, { bytesPerSecond: Infinity }, network.segmentBytes)
    this.#process = new SimulatedProcess(this, network.clock, this.#jitterChance)
  }

  /** What runs on it; a dead one after a crash, until the restart. */
  get process(): SimulatedProcess {
    return this.#process
  }

  /** Has it power? */
  get on(): boolean {
    return this.#on
  }

  /** What its signs of life are spread by: from 0 to below 1. */
  get signsOfLife(): () => number {
    return this.#signs.uniform
  }

  /** What its programs draw: from 0 to below 1. */
  get random(): () => number {
    return this.#programs.uniform
  }

  /** The way from here to another node. */
  wayTo(other: SimulatedNode): Uplink {
    return other === this ? this.#loopback : this.#uplink
  }

  /** Calls something with each process that a restart begins. */
  whenRestarted(start: (process: SimulatedProcess) => void): void {
    this.#starts.push(start)
  }

  /** Ends its process; the machine goes on, and tells the peers that the connections are no more. */
  crash(): void {
    this.#tell('crash')
    this.#process.die(true)
  }

  /** Ends all at once and in silence: peers notice that no sign of life comes. */
  powerOff(): void {
    this.#tell('powerOff')
    this.#on = false
    this.#process.die(false)
  }

  /** Begins a new process, where the old one is dead; connections of the old one are refused. */
  restart(): void {
    if (this.#process.alive) return
    this.#tell('restart')
    this.#on = true
    this.#process = new SimulatedProcess(this, this.network.clock, this.#jitterChance)
    for (const start of this.#starts) start(this.#process)
  }

  /** Stops its process as it is, as SIGSTOP does; what is sent to it is kept. */
  pause(): void {
    this.#tell('pause')
    this.#process.pause()
  }

  /** Lets a paused process go on. */
  resume(): void {
    this.#tell('resume')
    this.#process.resume()
  }

  #tell(kind: FaultEvent['kind']): void {
    this.tell?.({ kind, nodes: [this.name] })
  }
}
