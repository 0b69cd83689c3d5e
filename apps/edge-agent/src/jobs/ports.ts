// What jobs need of the node that they are on: the other nodes, a place for bytes, and a way to begin processes.
import type { CallOptions, Connection, Method, Said } from '@shoal/distributed/peers'
import type { NDArray } from '@shoal/core'
import type { Role } from '../api/node.ts'
import type { RunningTask, TaskServices, Assignment } from '../task/services.ts'
import type { Inventory } from '../machine/inventory.ts'
import type { JobHead } from './head.ts'
import type { Need } from './spec.ts'

/** A node that is there now, this one among them. */
export interface PresentNode {
  readonly nodeId: string
  readonly role: string
  readonly inventory: Inventory
  /** What its running tasks need. */
  readonly taken: readonly (Need & { readonly job: string; readonly task: string })[]
  /** The jobs that it leads or keeps copies of. */
  readonly jobs: readonly JobHead[]
}

/** The nodes of the cluster. */
export interface Nodes {
  readonly self: { readonly nodeId: string; readonly role: Role }
  /** Those that are there, this one first. */
  present(): readonly PresentNode[]
  /** Calls a method of a node; of this one too. @throws as `callMethod`, and ConnectionLostError where it is not there. */
  call<Q, A>(
    nodeId: string,
    method: Method<Q, A>,
    request: Q,
    options: CallOptions & { readonly tensors?: readonly NDArray[] },
  ): Promise<Said<A>>
  /** The connections to others that are there. */
  connections(): readonly Connection[]
  /** What this node tells others of itself has changed. */
  changed(): void
}

/** Where blobs are. */
export interface Blobs {
  /** Keeps bytes here. */
  put(bytes: Uint8Array, keepFor: string): Promise<string>
  /** The bytes of a blob: from here, or from whoever has it. */
  get(hash: string, options: { readonly keepFor?: string; readonly signal: AbortSignal }): Promise<Uint8Array>
  /** Has them come here from whoever has them. */
  fetch(
    hashes: readonly string[],
    options: { readonly keepFor: string; readonly signal: AbortSignal },
  ): Promise<void>
  /** Has another node keep a blob that is here. */
  push(
    hash: string,
    nodeId: string,
    options: { readonly keepFor: string; readonly signal: AbortSignal },
  ): Promise<void>
  /** Keeps nothing here for this holder any more. */
  release(keepFor: string): Promise<void>
  /** The bytes of each that is here. */
  sizes(hashes: readonly string[]): ReadonlyMap<string, number>
}

/** Begins a task in a process of its own. */
export type Launch = (
  assignment: Assignment,
  how: {
    readonly program: Uint8Array
    readonly services: TaskServices
    readonly memoryBytes: number
    readonly timeMs: number
  },
) => Promise<RunningTask>
