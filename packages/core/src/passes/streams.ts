// Tells random streams of one name apart: the first that is met keeps the name, those that come later are numbered.
import type { Graph } from '../graph/graph.ts'
import { rewrite } from '../graph/graph.ts'
import type { RandomResource } from '../resource.ts'
import { isResource } from '../resource.ts'
import type { Pass } from './pass.ts'
import { runDeep } from './pass.ts'

/**
 * The streams that were met so far. Numbers follow from the graphs alone, in the order in which they come and within each in dependency order:
 * the same program draws the same numbers however often, and wherever, its graphs were built before.
 */
export class StreamNames {
  private readonly known = new WeakMap<RandomResource, RandomResource>()
  /** The names taken, with the number to try next. */
  private readonly taken = new Map<string, number>()
  private readonly pass: Pass = {
    name: 'streamNames',
    run: (graph) =>
      rewrite(graph, (node) => {
        const resource = node.attrs['resource']
        if (!isResource(resource) || resource.kind !== 'random') return undefined
        const stream = this.named(resource)
        return stream === resource ? undefined : node.with({ attrs: { ...node.attrs, resource: stream } })
      }),
  }

  /** The graph with a name of its own for every stream, bodies included; a stream keeps its name in all graphs. */
  apply(graph: Graph): Graph {
    return runDeep(this.pass, graph)
  }

  /** The stream under the name that it has among those met so far. */
  named(resource: RandomResource): RandomResource {
    const known = this.known.get(resource)
    if (known) return known
    let name = resource.name
    for (let i = this.taken.get(name) ?? 1; this.taken.has(name); i++) {
      name = `${resource.name}_${i}`
      this.taken.set(resource.name, i + 1)
    }
    const stream = name === resource.name ? resource : { ...resource, name }
    this.taken.set(name, 1)
    this.known.set(resource, stream).set(stream, stream)
    return stream
  }
}
