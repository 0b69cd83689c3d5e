// Takes out of branches and loops what nobody asks them for: results that are not read, and values passed in that no body reads.
import type { AttrValue } from '../attr.ts'
import { bodiesOf } from '../graph/effects.ts'
import type { Graph, Node, Subgraph, Tensor } from '../graph/graph.ts'
import { isSubgraph, rewrite, toposort } from '../graph/graph.ts'
import { substitute } from '../graph/substitute.ts'
import { parameter } from '../ops/graph/parameter.ts'
import { hasEffectsBefore } from './cone.ts'
import type { Note, Pass } from './pass.ts'
import { isListOfSubgraphs } from './pass.ts'

/** Removes results of branches that nobody reads, keeping their effects, and captured values that no body reads. States of loops stay. */
export const trimBodies: Pass = {
  name: 'trimBodies',
  run(graph: Graph, note?: Note): Graph {
    const read = new Set<Tensor>([...graph.fetches, ...toposort(graph).flatMap((node) => node.inputs)])
    return rewrite(graph, (node, original) => {
      if (!node.op.subgraphs || bodiesOf(node).length === 0) return undefined
      const used = original.outputs.map((t) => roleOf(node) !== 'case' || read.has(t))
      const answering = used.every(Boolean) ? node : withFetches(node, used)
      const lighter = withoutUnread(answering) ?? answering
      if (answering !== node) note?.(node, 'a result of its branches is not read')
      if (lighter !== answering) note?.(node, 'a value that it captures is read in no body')
      if (answering === node || !used.some(Boolean)) return lighter
      // Something has to stand for the results that are gone, though nobody reads it.
      return used.map((_, i) => lighter.outputs[Math.max(0, place(used, i))]!)
    })
  },
}

const roleOf = (node: Node): string | undefined =>
  node.op.body.kind === 'runtime' ? node.op.body.role : undefined

/** How many used outputs stand before output i, or -1 when it is not used. */
const place = (used: readonly boolean[], i: number): number =>
  used[i] ? used.slice(0, i).filter(Boolean).length : -1

function withBodies(
  node: Node,
  change: (body: Subgraph) => Subgraph,
  inputs: readonly Tensor[] = node.inputs,
): Node {
  const attrs: Record<string, AttrValue> = {}
  for (const [key, value] of Object.entries(node.attrs))
    attrs[key] = isSubgraph(value) ? change(value) : isListOfSubgraphs(value) ? value.map(change) : value
  return node.with({ inputs, attrs })
}

/** Branches that answer only what is used; effects behind the rest are targets from now on. */
const withFetches = (node: Node, used: readonly boolean[]): Node =>
  withBodies(node, (body) => {
    const effects = body.fetches.filter((t, i) => !used[i] && hasEffectsBefore(t.node)).map((t) => t.node)
    return {
      params: body.params,
      fetches: body.fetches.filter((_, i) => used[i]),
      targets: [...new Set([...body.targets, ...effects])],
    }
  })

/** The node without the captured inputs that none of its bodies reads; undefined when they are all read. */
function withoutUnread(node: Node): Node | undefined {
  const role = roleOf(node)
  if (role !== 'case' && role !== 'while' && role !== 'scan') return undefined
  // The index of a case is not passed on; states and sequences of a loop stay where they are.
  const offset = role === 'case' ? 1 : 0
  const captured = role === 'case' ? 1 : Number(node.attrs['carries']) + Number(node.attrs['sequences'] ?? 0)
  const inside = new Set<Node>(bodiesOf(node).flatMap((body) => toposort(body)))
  const isRead = (i: number): boolean =>
    bodiesOf(node).some((body) => inside.has(body.params[i - offset]!.node))
  const kept = node.inputs.map((_, i) => i).filter((i) => i < captured || isRead(i))
  if (kept.length === node.inputs.length) return undefined
  const places = kept.map((i) => i - offset).filter((i) => i >= 0)
  return withBodies(
    node,
    (body) => withParams(body, places),
    kept.map((i) => node.inputs[i]!),
  )
}

/** The body with only the parameters at these places, numbered anew. */
function withParams(body: Subgraph, places: readonly number[]): Subgraph {
  const params = places.map((place, index) => {
    const t = body.params[place]!
    return place === index ? t : parameter({ index, shape: t.shape, dtype: t.dtype, name: t.name })
  })
  const replaced = new Map(places.map((place, index) => [body.params[place]!, params[index]!]))
  return { ...substitute(body, replaced), params }
}
