// What a shoal.config.ts says: the same as flags do, written down once for a project.
import type { Json } from '@shoal/edge-agent/client'

/** What the agent of this machine is started with: the flags of `shoal up`. */
export interface AgentSettings {
  /** The name that others see. Default: that of the machine. */
  readonly name?: string | undefined
  /** Where it listens. Default: all addresses. */
  readonly host?: string | undefined
  /** Default: any that is free, kept from then on. */
  readonly port?: number | undefined
  /** `host:port` of other nodes, for networks without multicast. Default: none. */
  readonly peers?: readonly string[] | undefined
  /** Whether it looks for others by multicast, and is found. Default: true. */
  readonly mdns?: boolean | undefined
  /** The port at which Prometheus reads, with a certificate of the cluster; 0 for any. Default: none. */
  readonly metricsPort?: number | undefined
  /** The port at which gRPC is spoken, with a certificate of the cluster; 0 for any. Default: none. */
  readonly controlPort?: number | undefined
}

/** What jobs are given: the flags of `shoal train`, `search` and `ensemble`. */
export interface JobSettings {
  /** The file that says what is run, where the command does not name one. */
  readonly program?: string | undefined
  /** For people. Default: the name of the program's file. */
  readonly name?: string | undefined
  /** How many tasks there are of each job of the cluster: a number, or 'all' for as many as find a place. Default: `{ worker: 'all' }`. */
  readonly tasks?: Readonly<Record<string, number | 'all'>> | undefined
  /** Are tasks put on nodes with a GPU only, those that serve others aside? Default: false. */
  readonly gpu?: boolean | undefined
  /** Bytes of memory that a task may take. Default: 512 MiB, and 1 GiB with a GPU. */
  readonly memory?: number | undefined
  /** Cores that a task keeps busy. Default: 1. */
  readonly cores?: number | undefined
  /** Folders or files that tasks read, by name. */
  readonly data?: Readonly<Record<string, string>> | undefined
  /** What the program is told: `task.settings`. */
  readonly set?: Readonly<Record<string, Json>> | undefined
  /** Higher ones go first. Default: 0. */
  readonly priority?: number | undefined
  /** Milliseconds that a task may run. Default: a day. */
  readonly timeLimit?: number | undefined
  /** How often a task may fail by itself. Default: 1. */
  readonly retries?: number | undefined
  /** Does each task of a training go for itself? Default: false, all run or none. */
  readonly elastic?: boolean | undefined
  /** How many trials a search is to have. Default: what the program says. */
  readonly trials?: number | undefined
  /** How many trials of a search run at once. Default: as many as find a place. */
  readonly parallel?: number | undefined
}

/** What a shoal.config.ts exports by default. Paths in it begin at its own folder. */
export interface ShoalConfig {
  /** The state folder of the agent. Default: where `SHOAL_HOME` says, otherwise that of the user. */
  readonly folder?: string | undefined
  readonly agent?: AgentSettings | undefined
  readonly job?: JobSettings | undefined
}

/** A config, checked by the compiler: `export default defineConfig({ job: { tasks: { worker: 4 } } })`. */
export const defineConfig = (config: ShoalConfig): ShoalConfig => config
