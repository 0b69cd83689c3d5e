// What one node computes and moves by itself: what a placement is weighed by before anything has run.
import type { Unit } from '../compile/units.ts'
import { kindOf } from '../compile/units.ts'
import { bytesOf } from '../compile/bytesOf.ts'
import { isFusable, isRelabelling } from '../compile/fuse.ts'
import { ShapeError } from '../errors.ts'
import { bodiesOf } from '../graph/effects.ts'
import type { Graph, Tensor } from '../graph/graph.ts'
import { Node, toposort } from '../graph/graph.ts'
import { detached } from '../graph/scope.ts'
import { withSizes } from '../graph/sizes.ts'
import type { Rebuild } from '../graph/substitute.ts'
import { fuseGroup } from '../lower/fusedKernel.ts'
import { placeholder } from '../ops/graph/placeholder.ts'
import { expandNode } from '../passes/expandComposites.ts'
import { isConcrete, unknown } from '../shape.ts'
import { flopsOfKernel, flopsOfNode } from './flops.ts'
import { movedBy } from './traffic.ts'

/** The work of one node, run by itself. */
export interface NodeCost {
  /** Floating-point operations; 0 where its op does not say. */
  readonly flops: number
  /** Bytes read and written. What the parts of a composite hand each other is not counted, as they are fused. */
  readonly bytes: number
  /** Bytes of each output; 0 for strings, and for a size that only a run can tell. */
  readonly outputBytes: readonly number[]
}

/**
 * What a node costs. A loop counts as one round of its body, a scan as all of its rounds, a branch as its dearest.
 * @param sizes how large the named sizes are.
 * @throws ShapeError for an input with a size that is neither known nor among `sizes`.
 */
export function nodeCost(node: Node, sizes: Readonly<Record<string, number>> = {}): NodeCost {
  // Nodes that are made on the way are nobody's: the surroundings do not concern them.
  return detached(() => {
    const known = withKnownSizes(node, sizes)
    const { flops, bytes } = workOf(known)
    return { flops, bytes, outputBytes: known.outputs.map(bytesIfKnown) }
  })
}

type Work = Omit<NodeCost, 'outputBytes'>

const bytesIfKnown = (t: Tensor): number => (isConcrete(t.shape) && t.dtype !== 'string' ? bytesOf(t) : 0)

/** The node as a run binds it: on inputs whose sizes are numbers. */
function withKnownSizes(node: Node, sizes: Readonly<Record<string, number>>): Node {
  const size = (name: string): number => {
    const known = Object.hasOwn(sizes, name) ? sizes[name] : undefined
    if (known !== undefined) return known
    throw new ShapeError(
      name === unknown
        ? 'reads a size that only a run can tell: cut the graph where it becomes known'
        : `how large '${name}' is decides what it costs: say it in sizes, as in { ${name}: 32 }`,
      { node },
    )
  }
  const standIn = (t: Tensor): Tensor => {
    const shape = t.shape.map((d) => (typeof d === 'number' ? d : size(d)))
    return new Node(placeholder.def, [], { shape, dtype: t.dtype }, { name: t.name }).outputs[0]!
  }
  const rebuild: Rebuild = (inner, inputs, control) => withSizes(inner, inputs, control, size, rebuild)
  const unbound = [...new Set(node.inputs)].filter((t) => !isConcrete(t.shape))
  const bound = new Map(unbound.map((t) => [t, standIn(t)]))
  return rebuild(
    node,
    node.inputs.map((t) => bound.get(t) ?? t),
    [],
  )
}

function workOf(node: Node): Work {
  const { body } = node.op
  // Only inside bodies: sizes that change from round to round.
  if (!node.inputs.every((t) => isConcrete(t.shape))) return sum([])
  const bodies = bodiesOf(node)
  const rounds = body.kind === 'runtime' && body.role === 'scan' ? scanLength(node) : 1
  if (bodies.length > 0) {
    const works = bodies
      .map((inner) => workOfAll(inner))
      .map(({ flops, bytes }) => ({
        flops: flops * rounds,
        bytes: bytes * rounds,
      }))
    return body.kind === 'runtime' && body.role === 'case' ? dearest(works) : sum(works)
  }
  const unit = unitOf(node)
  return { flops: flopsOf(node, unit), bytes: isIdle(node) ? 0 : movedBy(unit) }
}

function flopsOf(node: Node, { kernel }: Unit): number {
  if (kernel) return flopsOfKernel(kernel)
  if (!node.outputs.every((t) => isConcrete(t.shape))) return 0
  if (node.op.body.kind !== 'composite') return flopsOfNode(node) ?? 0
  return workOfAll({ fetches: expandNode(node), targets: [] }, node).flops
}

/** All nodes of a graph; those that make the inputs of `outer` are no part of it. */
function workOfAll(graph: Graph, outer?: Node): Work {
  const outside = new Set([...(outer?.inputs.map((t) => t.node) ?? []), ...(outer?.control ?? [])])
  return sum(toposort(graph, (node) => !outside.has(node)).map(workOf))
}

const sum = (works: readonly Work[]): Work =>
  works.reduce((a, b) => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes }), { flops: 0, bytes: 0 })

/** The branch that computes most; of equals, the one that moves most. */
const dearest = (works: readonly Work[]): Work =>
  works.reduce((a, b) => (b.flops > a.flops || (b.flops === a.flops && b.bytes > a.bytes) ? b : a))

/** The results of a scan have a leading axis of its rounds; so has the state before every round. */
function scanLength(node: Node): number {
  const rounds = node.outputs.at(-1)?.shape[0]
  return typeof rounds === 'number' ? rounds : 1
}

/** Nothing runs for it: its value is there, or is its input's under another shape. */
function isIdle(node: Node): boolean {
  const { body } = node.op
  if (body.kind === 'view') return isRelabelling(node)
  return (
    body.kind === 'runtime' &&
    ['constant', 'feed', 'parameter', 'blank', 'readVariable', 'group'].includes(body.role)
  )
}

/** The node as a unit that nothing is fused with. */
function unitOf(node: Node): Unit {
  const { body, traits } = node.op
  const inputs = node.inputs.filter((_, i) => !traits.shapeOnly?.(i))
  const { outputs } = node
  if (isFusable(node) && node.inputs.every((t) => t.dtype !== 'string'))
    return { kind: 'fused', node, ...fuseGroup(node, new Set()) }
  if (body.kind === 'runtime' && body.role !== 'blank' && body.role !== 'call')
    return { kind: kindOf(body.role), node, nodes: [node], inputs, outputs }
  return { kind: 'kernel', node, nodes: [node], inputs, outputs }
}
