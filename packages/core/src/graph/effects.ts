// What nodes do besides computing, the bodies of control flow included.
import type { AnyResource } from '../resource.ts'
import { isResource } from '../resource.ts'
import type { Node, Subgraph } from './graph.ts'
import { isSubgraph, toposort } from './graph.ts'

/** What a node does to resources and to the world, in its bodies too. */
export interface Effects {
  readonly reads: ReadonlySet<AnyResource>
  readonly writes: ReadonlySet<AnyResource>
  /** Does it act on the world: print, draw a random key, wait for a queue? */
  readonly external: boolean
}
const none: Effects = { reads: new Set(), writes: new Set(), external: false }
const known = new WeakMap<object, Effects>()

/** What decides about the effects of a node: it may still be in the making. */
export type EffectSource = Pick<Node, 'op' | 'attrs'>

/** What a node does besides computing its outputs. */
export function effectsOf(node: EffectSource): Effects {
  if (node.op.traits.effect === undefined && !node.op.subgraphs) return none
  let effects = known.get(node)
  if (!effects) known.set(node, (effects = findEffects(node)))
  return effects
}

/** Does a node only compute? Then it may be folded, merged, computed twice or not at all. */
export function isPure(node: Node): boolean {
  const { reads, writes, external } = effectsOf(node)
  return !external && reads.size === 0 && writes.size === 0
}

/** The bodies in a node's attributes. */
export function bodiesOf(node: Pick<Node, 'attrs'>): readonly Subgraph[] {
  return Object.values(node.attrs).flatMap((value) =>
    isSubgraph(value)
      ? [value]
      : Array.isArray(value) && value.length > 0 && value.every(isSubgraph)
        ? (value as readonly Subgraph[])
        : [],
  )
}

function findEffects(node: EffectSource): Effects {
  const { effect } = node.op.traits
  const reads = new Set<AnyResource>()
  const writes = new Set<AnyResource>()
  let external = effect === 'external'
  for (const value of Object.values(node.attrs))
    if (isResource(value) && effect) (effect === 'read' ? reads : writes).add(value)
  for (const inner of bodiesOf(node).flatMap((body) => toposort(body))) {
    const effects = effectsOf(inner)
    effects.reads.forEach((r) => reads.add(r))
    effects.writes.forEach((r) => writes.add(r))
    external ||= effects.external
  }
  return { reads, writes, external }
}
