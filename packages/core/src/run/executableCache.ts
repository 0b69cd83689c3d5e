// Compiled graphs by what is fetched, fed, and how large it is. A graph that runs twice at once is compiled twice.
import type { Graph, Tensor } from '../graph/graph.ts'
import type { DType } from '../dtype.ts'
import type { NDArray } from '../ndarray.ts'
import type { Size } from '../shape.ts'
import type { StagedGraph } from './staged.ts'
import { isStaged } from './staged.ts'
import type { Executable } from './target.ts'

type Compiled = Executable | StagedGraph

/** What was asked for last, and its key: whoever runs a step in a loop asks for the same again and again. */
interface Asked {
  readonly graph: Graph
  readonly fed: readonly { readonly tensor: Tensor; readonly dtype: DType; readonly shape: Size }[]
  readonly key: string
}

/** Keeps executables that are not running, least recently used first. */
export class ExecutableCache {
  private readonly idle = new Map<string, Compiled[]>()
  private readonly limit: number
  private count = 0
  private closed = false
  private last: Asked | undefined
  private newest: string | undefined
  constructor(limit: number) {
    this.limit = limit
  }

  /** What tells two compilations apart. In which order things are fed does not. */
  keyOf(graph: Graph, feeds: ReadonlyMap<Tensor, NDArray>): string {
    if (this.last && isSame(this.last, graph, feeds)) return this.last.key
    const id = (t: Tensor): string => `${t.node.id}:${t.index}`
    const fed = [...feeds].map(([t, a]) => `${id(t)}=${a.dtype}[${a.shape.join()}]`)
    const key = `${graph.fetches.map(id).join()}|${graph.targets.map((n) => n.id).join()}|${fed.join()}`
    this.last = {
      graph,
      fed: [...feeds].map(([tensor, { dtype, shape }]) => ({ tensor, dtype, shape })),
      key,
    }
    return key
  }

  /** An idle executable for a key; the caller runs it and puts it back. */
  take(key: string): Compiled | undefined {
    const found = this.idle.get(key)?.pop()
    if (!found) return undefined
    this.count--
    // A staged graph holds no memory, so several runs may share it: it is back at once, as the one used last.
    if (isStaged(found)) this.put(key, found)
    return found
  }

  /** Keeps a compiled graph for the next run of its key. */
  put(key: string, compiled: Compiled): void {
    if (this.closed) return free(compiled)
    const known = this.idle.get(key)
    if (isStaged(compiled) && known && known.length > 0) return
    const list = known ?? []
    list.push(compiled)
    this.count++
    if (!known || key !== this.newest) {
      this.idle.delete(key)
      this.idle.set(key, list)
      this.newest = key
    }
    if (this.count > this.limit) this.evict()
  }

  /** Frees all, and everything that is put back from now on. */
  clear(): void {
    this.closed = true
    for (const list of this.idle.values()) list.forEach(free)
    this.idle.clear()
    this.count = 0
  }

  private evict(): void {
    for (const [key, list] of this.idle) {
      if (this.count <= this.limit) return
      list.forEach(free)
      this.count -= list.length
      this.idle.delete(key)
    }
  }
}

/** Is it the same graph, fed with values of the same types? */
function isSame(asked: Asked, { fetches, targets }: Graph, feeds: ReadonlyMap<Tensor, NDArray>): boolean {
  if (!isEqual(asked.graph.fetches, fetches) || !isEqual(asked.graph.targets, targets)) return false
  if (asked.fed.length !== feeds.size) return false
  return asked.fed.every(({ tensor, dtype, shape }) => {
    const array = feeds.get(tensor)
    return array?.dtype === dtype && isEqual(array.shape, shape)
  })
}

const isEqual = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a === b || (a.length === b.length && a.every((x, i) => x === b[i]))

function free(compiled: Compiled): void {
  if (!isStaged(compiled)) compiled.free()
}
