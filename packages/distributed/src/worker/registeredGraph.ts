// The part of a graph that a worker runs: partitions that came as GraphDefs, compiled for its devices.
import type { AnyResource, CompileOptions, Executable, NDArray, Partition } from '@shoal/core'
import { parseDeviceName, toposort } from '@shoal/core'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { ProtocolError } from '../errors.ts'
import { graphFromBytes } from '../protocol/graphBytes.ts'
import type { Container } from './container.ts'

/** A partition as it comes. */
export interface PartitionDef {
  readonly device: number
  readonly feeds: readonly number[]
  readonly fetches: readonly number[]
  /** See `graphToBytes`. */
  readonly def: NDArray | undefined
}

/** Options that a graph is compiled with. */
export type GraphOptions = Omit<CompileOptions, 'passes' | 'softPlacement'>

/** A compiled graph, and what it needs of other workers. */
export class RegisteredGraph {
  readonly executable: Executable
  /** Keys of the tensors that other workers make. */
  readonly remoteKeys: readonly string[]
  readonly feedCount: number
  private last: Promise<unknown> = Promise.resolve()
  private runs = 0
  private isForgotten = false

  private constructor(executable: Executable, remoteKeys: readonly string[], feedCount: number) {
    this.executable = executable
    this.remoteKeys = remoteKeys
    this.feedCount = feedCount
  }

  /** @throws GraphDefError, NameError, ProtocolError for a partition that cannot be; whatever compiling throws. */
  static async compile(
    defs: readonly PartitionDef[],
    fetchCount: number,
    container: Container,
    own: TaskName,
    options: GraphOptions,
  ): Promise<RegisteredGraph> {
    const read = defs.map((def) => readPartition(def, container, fetchCount))
    container.claim(read.flatMap(({ resources }) => resources))
    const parts = read.map(({ part }) => part)
    const remoteKeys = parts.flatMap((part) => keysFromElsewhere(part, own))
    const executable = await container.target.compileParts(parts, fetchCount, options)
    const feedCount = Math.max(0, ...parts.flatMap(({ feeds }) => feeds.map((i) => i + 1)))
    return new RegisteredGraph(executable, remoteKeys, feedCount)
  }

  /**
   * One run at a time: its memory is planned for one. A run waits for the one before, which may still be ending here when its caller,
   * who has withdrawn it, has long gone on to the next.
   */
  async inTurn<T>(run: () => Promise<T>): Promise<T> {
    this.runs++
    const mine = this.last.then(run)
    this.last = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      this.runs--
      if (this.isForgotten) this.free()
    }
  }

  /** Gives its memory back, when nothing runs in it any more. */
  free(): void {
    this.isForgotten = true
    if (this.runs === 0) this.executable.free()
  }
}

function readPartition(
  { def, device, feeds, fetches }: PartitionDef,
  { target }: Container,
  fetchCount: number,
): { readonly part: Partition; readonly resources: readonly AnyResource[] } {
  if (device >= target.devices.length)
    throw new ProtocolError(`a partition is for device ${device}, there are ${target.devices.length}`)
  const { graph, feeds: inputs, resources } = graphFromBytes(def, feeds.length)
  if (graph.fetches.length !== fetches.length || fetches.some((i) => i >= fetchCount))
    throw new ProtocolError('a partition does not fetch what was said of it')
  return { part: { device, graph, inputs, feeds, fetches }, resources }
}

/** The task whose device makes what a key stands for: keys are `from;to;tensor`. */
export function sourceOf(key: string): TaskName {
  const { job, task } = parseDeviceName(key.slice(0, key.indexOf(';')))
  if (job === undefined || task === undefined)
    throw new ProtocolError(`the key '${key}' does not say who makes the tensor`)
  return { job, task }
}

function keysFromElsewhere({ graph }: Partition, own: TaskName): string[] {
  return toposort(graph).flatMap(({ op, attrs }) => {
    if (op.body.kind !== 'runtime' || op.body.role !== 'recv') return []
    const key = attrs['key'] as string
    const { job, task } = sourceOf(key)
    return job === own.job && task === own.task ? [] : [key]
  })
}
