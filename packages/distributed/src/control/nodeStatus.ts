// What a node says of itself: who it is, what it has, how busy it is.
import { parseDeviceName } from '@shoal/core'
import type { Clock } from '../clock.ts'
import type { MainWatch } from './mainWatch.ts'
import type { DeviceMessage, HelloMessage, LoadMessage, StatusMessage } from './proto/control.ts'
import { nodeStates } from './proto/control.ts'

/** A device as others see it. */
export interface ControlDevice {
  /** `/job:worker/task:1/device:cpu:0`. */
  readonly name: string
  /** 'cpu'. */
  readonly type: string
  readonly dtypes: readonly string[]
  /** Default: 0, which says that it is not known. */
  readonly memoryBytes?: number
}

/** What a node accepts: new work, none, or nothing any more. */
export type NodeState = 'serving' | 'draining' | 'stopping'

/** What the main thread says of the node. */
export interface NodeUpdate {
  readonly devices?: readonly ControlDevice[]
  readonly state?: NodeState
  /** Steps that are running now. */
  readonly runningSteps?: number
}

/** Who the node is. */
export interface NodeName {
  readonly cluster: string
  readonly task: string
  readonly incarnation: string
  readonly version: string
}

/** How busy a node is. */
export interface Load {
  /** Milliseconds since its main thread last came round to its timers; up to some 200 when it is idle. */
  readonly mainBusyMs: number
  readonly runningSteps: number
  /** Seconds of processor time for each second since the heartbeat before. */
  readonly processors: number
  readonly residentBytes: number
}

/** Keeps what there is to say. */
export class NodeStatus {
  readonly name: NodeName
  readonly #clock: Clock
  readonly #main: MainWatch
  readonly #startedAt: number
  #said: Required<NodeUpdate> = { devices: [], state: 'serving', runningSteps: 0 }
  #processors = 0
  #spent: NodeJS.CpuUsage = process.cpuUsage()
  #measuredAt: number

  /** @param clock the one of the machine: of uptime and processor time. */
  constructor(name: NodeName, clock: Clock, main: MainWatch) {
    this.name = name
    this.#clock = clock
    this.#main = main
    this.#startedAt = this.#measuredAt = clock.now()
  }

  get state(): NodeState {
    return this.#said.state
  }
  get devices(): DeviceMessage[] {
    return this.#said.devices.map(({ name, type, dtypes, memoryBytes = 0 }) => ({
      name,
      type,
      dtypes,
      memoryBytes: BigInt(Math.round(memoryBytes)),
      incarnation: this.name.incarnation,
    }))
  }

  /** Takes what the main thread says. */
  update(update: NodeUpdate): void {
    this.#said = { ...this.#said, ...update }
  }

  /** Measures the processor time since the last call. */
  measure(): void {
    const now = this.#clock.now()
    if (now === this.#measuredAt) return
    const { user, system } = process.cpuUsage(this.#spent)
    this.#processors = (user + system) / 1000 / (now - this.#measuredAt)
    this.#spent = process.cpuUsage()
    this.#measuredAt = now
  }

  hello(sequence: number): HelloMessage {
    return { ...this.name, sequence, devices: this.devices }
  }

  load(): LoadMessage {
    return {
      mainBusyMs: this.#main.busyMs,
      runningSteps: this.#said.runningSteps,
      processors: this.#processors,
      residentBytes: BigInt(process.memoryUsage.rss()),
    }
  }

  message(): StatusMessage {
    const { task, incarnation, version } = this.name
    const { job = '', task: index = 0 } = parseDeviceName(task)
    return {
      task,
      job,
      index,
      incarnation,
      version,
      uptimeMs: this.#clock.now() - this.#startedAt,
      state: nodeStates[stateNames[this.state]],
      load: this.load(),
      devices: this.devices,
    }
  }
}

const stateNames = { serving: 'SERVING', draining: 'DRAINING', stopping: 'STOPPING' } as const

/** How busy a peer says it is. */
export const readLoad = ({ mainBusyMs, runningSteps, processors, residentBytes }: LoadMessage): Load => ({
  mainBusyMs,
  runningSteps,
  processors,
  residentBytes: Number(residentBytes),
})
