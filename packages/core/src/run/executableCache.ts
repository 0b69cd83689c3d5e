// Compiled graphs by what is fetched, fed, and how large it is. A graph that runs twice at once is compiled twice.
import type { Graph, Tensor } from '../graph/graph.ts'
import type { NDArray } from '../ndarray.ts'
import type { Executable } from './executable.ts'
import type { StagedGraph } from './staged.ts'
import { isStaged } from './staged.ts'

type Compiled = Executable | StagedGraph

/** Keeps executables that are not running, least recently used first. */
export class ExecutableCache {
  private readonly idle = new Map<string, Compiled[]>()
  private readonly limit: number
  private count = 0
  private closed = false
  constructor(limit: number) {
    this.limit = limit
  }

  /** What tells two compilations apart. In which order things are fed does not. */
  keyOf(graph: Graph, feeds: ReadonlyMap<Tensor, NDArray>): string {
    const id = (t: Tensor): string => `${t.node.id}:${t.index}`
    const fed = [...feeds].map(([t, a]) => `${id(t)}=${a.dtype}[${a.shape.join()}]`)
    return `${graph.fetches.map(id).join()}|${graph.targets.map((n) => n.id).join()}|${fed.join()}`
  }

  /** An idle executable for a key; the caller runs it and puts it back. */
  take(key: string): Compiled | undefined {
    const list = this.idle.get(key)
    const found = list?.pop()
    if (!list || !found) return undefined
    this.count--
    if (list.length === 0) this.idle.delete(key)
    // A staged graph holds no memory, so several runs may share it: it is back at once, as the one used last.
    if (isStaged(found)) this.put(key, found)
    return found
  }

  /** Keeps a compiled graph for the next run of its key. */
  put(key: string, compiled: Compiled): void {
    if (this.closed) return free(compiled)
    const list = this.idle.get(key) ?? []
    if (isStaged(compiled) && list.length > 0) return
    this.idle.delete(key)
    this.idle.set(key, [...list, compiled])
    this.count++
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
    const [oldest] = this.idle
    if (!oldest) return
    const [key, list] = oldest
    list.forEach(free)
    this.count -= list.length
    this.idle.delete(key)
  }
}

function free(compiled: Compiled): void {
  if (!isStaged(compiled)) compiled.free()
}
