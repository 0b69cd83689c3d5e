// Units of work: what the executor does in one go. A unit is a fused kernel, a hand-written one, or something that the executor does itself.
import type { Node, Tensor } from '../graph/graph.ts'
import { collapseAxes } from '../ir/collapse.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import type { RuntimeRole } from '../op.ts'
import { isBlank } from '../ops/graph/blank.ts'
import type { EffectOrder } from './effects.ts'
import { inlineNodes, isFusable, isRelabelling } from './fuse.ts'
import type { FusionLimits } from './fuse.ts'
import { fuseGroup } from '../lower/fusedKernel.ts'
import type { VariableResource } from '../resource.ts'
import type { Device } from '../run/device.ts'
import { mergeAssignments } from './mergeAssignments.ts'
import { mergeEpilogues } from './mergeEpilogues.ts'
import { mergeKernels } from './mergeKernels.ts'
import { UnitGraph } from './unitGraph.ts'

/** One piece of work. */
export interface Unit {
  /**
   * `alias`: the output is the input under another shape, nothing runs. `start` and `finish`: what goes on beside kernels is begun, with copies
   * of its inputs, and its outputs are taken up; in between it holds no memory of the device.
   */
  readonly kind:
    | 'fused'
    | 'kernel'
    | 'alias'
    | 'start'
    | 'finish'
    | Exclude<RuntimeRole, 'blank' | 'call' | 'send' | 'recv'>
  /** The node that names it; of a fused kernel, the root. */
  readonly node: Node
  /** All nodes whose work it does. */
  readonly nodes: readonly Node[]
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly kernel?: FusedKernel
  /** What runs on the elements that a hand-written kernel makes, as soon as it has made them. */
  readonly epilogue?: Epilogue
  /** Outputs that are written straight into variables. */
  readonly assigns?: readonly Assignment[]
}

/** A fused kernel on the output of another one, which is its first input. It stores what the unit's outputs after the first are. */
export interface Epilogue {
  readonly kernel: FusedKernel
  /** The inputs after the first. */
  readonly inputs: readonly Tensor[]
}

/** A value that becomes that of a variable when it is computed. */
export interface Assignment {
  readonly node: Node
  readonly resource: VariableResource
  readonly value: Tensor
}

/** What decides how units are cut. */
export interface CutContext {
  readonly device: Device
  readonly limits: FusionLimits
  /** Tensors that must be stored whatever happens. */
  readonly kept: ReadonlySet<Tensor>
  /** Tensors that the caller takes from device memory. */
  readonly taken: ReadonlySet<Tensor>
}

/** Cuts the ordered nodes of one device into units, in an order that their dependencies allow. */
export function cutUnits(effects: EffectOrder, { device, limits, kept, taken }: CutContext): Unit[] {
  const order = effects.nodes
  const stored = new Set(kept)
  // What others only wait for must be something that runs.
  for (const node of order) for (const earlier of node.control) earlier.outputs.forEach((t) => stored.add(t))
  const inlined = inlineNodes(order, stored, limits)
  const used = new Set([...kept, ...order.flatMap((node) => node.inputs)])
  const units = order
    .filter((node) => !inlined.has(node) && !node.outputs.some(isBlank))
    .flatMap((node) => unitsOf(node, inlined, used))
  if (!limits.enabled) return units.map(simplified)
  const graph = new UnitGraph(units, effects, stored)
  mergeKernels(graph, order, inlined, limits)
  graph.update(simplified)
  mergeEpilogues(graph, device)
  mergeAssignments(graph, taken)
  return graph.units()
}

const simplified = (unit: Unit): Unit => (unit.kernel ? { ...unit, kernel: collapseAxes(unit.kernel) } : unit)

/** The kind of a unit that does what the executor does itself. */
export const kindOf = (role: Exclude<RuntimeRole, 'blank' | 'call'>): Unit['kind'] =>
  role === 'send' || role === 'recv' ? 'start' : role

function unitsOf(node: Node, inlined: ReadonlySet<Node>, used: ReadonlySet<Tensor>): readonly Unit[] {
  const unit = unitOf(node, inlined, used)
  if (!node.op.traits.overlaps) return [unit]
  return [
    { ...unit, kind: 'start', outputs: [] },
    { ...unit, kind: 'finish', inputs: [] },
  ]
}

function unitOf(node: Node, inlined: ReadonlySet<Node>, used: ReadonlySet<Tensor>): Unit {
  const { body } = node.op
  // Control flow saves what its gradient would need; outputs that nobody reads are not kept.
  const outputs = node.op.subgraphs ? node.outputs.filter((t) => used.has(t)) : node.outputs
  const plain = { node, nodes: [node], inputs: node.inputs.filter((t) => !isBlank(t)), outputs }
  if (isFusable(node)) {
    if (isRelabelling(node) && !inlined.has(node.inputs[0]!.node)) return { ...plain, kind: 'alias' }
    return { kind: 'fused', node, ...fuseGroup(node, inlined) }
  }
  if (body.kind === 'kernel') return { ...plain, kind: 'kernel' }
  if (body.kind === 'runtime' && body.role !== 'blank' && body.role !== 'call')
    return { ...plain, kind: kindOf(body.role) }
  throw new TypeError(`${node.op.name} should have been expanded before this`)
}
