// Decides which nodes are computed inside their readers: what is left over is the root of a kernel of its own.
import type { Node, Tensor } from '../graph/graph.ts'
import { Simplifier } from '../ir/simplify.ts'
import { E } from '../ir/expr.ts'
import { flatIndex, unflatten } from '../ir/view.ts'
import type { ConcreteType, Size } from '../shape.ts'
import { sizeOf } from '../shape.ts'

/** How far fusion goes. */
export interface FusionLimits {
  /** false: every node gets a kernel of its own. */
  readonly enabled: boolean
  /** Operations in one expression. */
  readonly maxOperations: number
  /** Buffers that one kernel may bind, its output included. */
  readonly maxBuffers: number
}

/** Expressions of so many operations may be computed again for every reader instead of being stored. */
const cheapOperations = 3

/** What a fusable node's expression holds, with everything that is computed inside it. */
interface Extent {
  readonly operations: number
  readonly loads: ReadonlySet<Tensor>
  /** The reduction whose finished value the expression uses: it becomes that reduction's epilogue. */
  readonly reduction: Node | undefined
}

/** Is the node an expression per element, a view or a reduction? */
export const isFusable = (node: Node): boolean =>
  node.op.body.kind === 'scalar' || node.op.body.kind === 'view' || node.op.body.kind === 'reduce'

/**
 * The nodes that are computed inside every reader and stored nowhere.
 * @param order the nodes of one device in dependency order.
 * @param kept tensors that must be stored whatever happens: fetches and what leaves the device.
 */
export function inlineNodes(
  order: readonly Node[],
  kept: ReadonlySet<Tensor>,
  limits: FusionLimits,
): Set<Node> {
  const inlined = new Set<Node>()
  if (!limits.enabled) return inlined
  const readers = readersOf(order)
  const extents = new Map<Node, Extent>()
  for (const node of order) {
    if (!isFusable(node)) continue
    measure(node, inlined, extents, readers, limits)
    const outer = readers.get(node) ?? []
    if (outer.length === 0 || kept.has(node.outputs[0]!)) continue
    const extent = extents.get(node)!
    if (outer.every((reader) => mayInline(node, extent, outer.length, reader))) inlined.add(node)
  }
  return inlined
}

/** Sets the extent of a node. What is stored after all because of it is loaded by its other readers too: theirs are set anew until all agree. */
function measure(
  node: Node,
  inlined: Set<Node>,
  extents: Map<Node, Extent>,
  readers: ReadonlyMap<Node, readonly Node[]>,
  limits: FusionLimits,
): void {
  const pending = new Set([node])
  const again = (input: Node): void =>
    readers.get(input)?.forEach((reader) => extents.has(reader) && pending.add(reader))
  for (const next of pending) {
    pending.delete(next)
    const { stored, ...extent } = extentOf(next, inlined, extents, limits)
    extents.set(next, extent)
    for (const input of stored) {
      inlined.delete(input)
      again(input)
    }
    if (inlined.has(next)) again(next)
  }
}

function readersOf(order: readonly Node[]): Map<Node, Node[]> {
  const readers = new Map<Node, Node[]>()
  for (const node of order)
    for (const input of new Set(node.inputs.map((t) => t.node))) {
      const list = readers.get(input)
      if (list) list.push(node)
      else readers.set(input, [node])
    }
  return readers
}

/** Takes in the inlined inputs one by one; one that makes the expression too large, or brings a second reduction, is to be stored after all. */
function extentOf(
  node: Node,
  inlined: ReadonlySet<Node>,
  extents: ReadonlyMap<Node, Extent>,
  limits: FusionLimits,
): Extent & { readonly stored: readonly Node[] } {
  const stored: Node[] = []
  let operations = node.inputs.length === 0 ? generatorCost(node) : 1
  let reduction = node.op.body.kind === 'reduce' ? node : undefined
  const loads = new Set<Tensor>(node.inputs.filter((t) => !inlined.has(t.node)))
  for (const input of new Set(node.inputs.filter((t) => inlined.has(t.node)))) {
    const part = extents.get(input.node)!
    const union = new Set([...loads, ...part.loads])
    const fits = operations + part.operations <= limits.maxOperations && union.size < limits.maxBuffers
    if (fits && (!part.reduction || !reduction)) {
      operations += part.operations
      reduction ??= part.reduction
      union.forEach((t) => loads.add(t))
    } else stored.push(input.node)
  }
  return { operations, loads, reduction, stored }
}

// A generator says its whole formula in one node: a repeated value is free, a random number is not.
const generatorCost = (node: Node): number => (Object.hasOwn(node.attrs, 'value') ? 0 : cheapOperations + 1)

function mayInline(node: Node, extent: Extent, readers: number, reader: Node): boolean {
  if (!isFusable(reader)) return false
  const elements = sizeOf(node.outputs[0]!.shape as Size)
  const sameElements = sizeOf(reader.outputs[0]!.shape as Size) === elements
  if (extent.reduction)
    return (
      readers === 1 &&
      sameElements &&
      (reader.op.body.kind === 'scalar' || (reader.op.body.kind === 'view' && isRelabelling(reader)))
    )
  // Broadcast, tiled or read by several kernels, it is computed again and again.
  const repeated =
    readers > 1 ||
    (reader.op.body.kind !== 'reduce' && !sameElements && sizeOf(reader.outputs[0]!.shape as Size) > elements)
  return !repeated || extent.operations <= cheapOperations
}

/** Does a view only give the same elements in the same order another shape? Then it needs no kernel, and shares its input's memory. */
export function isRelabelling(node: Node): boolean {
  const { body } = node.op
  if (body.kind !== 'view') return false
  const [input, output] = [node.inputs[0]!.type as ConcreteType, node.outputs[0]!.type as ConcreteType]
  if (sizeOf(input.shape) !== sizeOf(output.shape)) return false
  const size = sizeOf(output.shape)
  if (size === 0) return true
  // Counted in one loop over all elements, whatever shapes they are seen in, the position must stay what it is.
  const at = unflatten(E.axis(0), output.shape)
  const map = body.map(at, input, node.attrs as never, output)
  if (map.valid) return false
  const simplifier = new Simplifier([size])
  return (
    simplifier.simplify(flatIndex(map.index, input.shape)) ===
    simplifier.simplify(flatIndex(at, output.shape))
  )
}
