// How often tensors are read, kept up to date while a rewrite goes on.
import type { Graph, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'

/** Counts of readers; a fetch counts as one. */
export class Uses {
  private readonly counts = new Map<Tensor, number>()
  constructor(graph: Graph) {
    for (const node of toposort(graph)) node.inputs.forEach((t) => this.add(t, 1))
    graph.fetches.forEach((t) => this.add(t, 1))
  }

  /** Is it read once at most? Then whoever reads it may take its maker apart. What a rule has just made is read by what it made it for. */
  once(t: Tensor): boolean {
    return (this.counts.get(t) ?? 1) <= 1
  }
  /** All readers of `before` read `after` from now on. */
  move(before: Tensor, after: Tensor): void {
    if (before !== after) this.add(after, this.counts.get(before) ?? 0)
  }
  private add(t: Tensor, count: number): void {
    this.counts.set(t, (this.counts.get(t) ?? 0) + count)
  }
}
