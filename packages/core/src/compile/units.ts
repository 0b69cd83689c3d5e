// Units of work: what the executor does in one go. A unit is a fused kernel, a hand-written one, or something that the executor does itself.
import type { Node, Tensor } from '../graph/graph.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import type { RuntimeRole } from '../op.ts'
import { isBlank } from '../ops/graph/blank.ts'
import type { EffectOrder } from './effects.ts'
import { inlineNodes, isFusable, isRelabelling } from './fuse.ts'
import type { FusionLimits } from './fuse.ts'
import { fuseGroup } from '../lower/fusedKernel.ts'

/** One piece of work. */
export interface Unit {
  /** `alias`: the output is the input under another shape, nothing runs. */
  readonly kind: 'fused' | 'kernel' | 'alias' | Exclude<RuntimeRole, 'blank' | 'call'>
  /** The node that names it; of a fused kernel, the root. */
  readonly node: Node
  /** All nodes whose work it does. */
  readonly nodes: readonly Node[]
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly kernel?: FusedKernel
}

/** Cuts the ordered nodes of one device into units, in the same order. */
export function cutUnits(effects: EffectOrder, kept: ReadonlySet<Tensor>, limits: FusionLimits): Unit[] {
  const order = effects.nodes
  const stored = new Set(kept)
  // What others only wait for must be something that runs.
  for (const node of order) for (const earlier of node.control) earlier.outputs.forEach((t) => stored.add(t))
  const inlined = inlineNodes(order, stored, limits)
  const used = new Set([...kept, ...order.flatMap((node) => node.inputs)])
  return order
    .filter((node) => !inlined.has(node) && !node.outputs.some(isBlank))
    .map((node) => unitOf(node, inlined, used))
}

function unitOf(node: Node, inlined: ReadonlySet<Node>, used: ReadonlySet<Tensor>): Unit {
  const { body } = node.op
  // Control flow saves what its gradient would need; outputs that nobody reads are not kept.
  const outputs = node.op.subgraphs ? node.outputs.filter((t) => used.has(t)) : node.outputs
  const plain = { node, nodes: [node], inputs: node.inputs.filter((t) => !isBlank(t)), outputs }
  if (isFusable(node)) {
    if (isRelabelling(node) && !inlined.has(node.inputs[0]!.node)) return { ...plain, kind: 'alias' }
    return { kind: 'fused', node, outputs: node.outputs, ...fuseGroup(node, inlined) }
  }
  if (body.kind === 'kernel') return { ...plain, kind: 'kernel' }
  if (body.kind === 'runtime' && body.role !== 'blank' && body.role !== 'call')
    return { ...plain, kind: body.role }
  throw new TypeError(`${node.op.name} should have been expanded before this`)
}
