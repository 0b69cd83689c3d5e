// Puts fused kernels that run over the same loops into one: a value is then passed on without being stored and read again.
import type { Node, Tensor } from '../graph/graph.ts'
import { someExpr } from '../ir/expr.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import { storesEverywhere } from '../ir/kernel.ts'
import type { FusedGroup } from '../lower/fusedKernel.ts'
import { fuseRoots } from '../lower/fusedKernel.ts'
import type { Loops } from '../lower/loops.ts'
import { keptSizes, loopsOf, sameLoops, sameSizes, withoutUnits } from '../lower/loops.ts'
import type { Size } from '../shape.ts'
import { sizeOf } from '../shape.ts'
import type { FusionLimits } from './fuse.ts'
import { bytesOf } from './bytesOf.ts'
import type { UnitGraph } from './unitGraph.ts'
import type { Unit } from './units.ts'

/** More streams of memory than this at once are slower than two kernels, whatever the device allows. */
const mostBuffers = 24
/** Of the kernels that read a tensor, only so many are tried with each other. */
const neighbours = 4
/** Kernels whose passes wait for each other are shared by threads only along the kept loops: there should be some, or little to do. */
const enoughRows = 16
const littleWork = 65536

/** Roots that are computed together. */
interface Group {
  readonly roots: readonly Node[]
  readonly loops: Loops
}

/** Merges fused units with those whose values they read, and with those that read the same. */
export function mergeKernels(
  graph: UnitGraph,
  order: readonly Node[],
  inlined: ReadonlySet<Node>,
  limits: FusionLimits,
): void {
  const position = new Map(order.map((node, i) => [node, i]))
  const groups = new Map<Unit, Group>()
  const groupOf = (unit: Unit): Group | undefined => {
    const known = groups.get(unit)
    if (known || unit.kind !== 'fused') return known
    const loops = loopsOf(unit.node, inlined)
    const group = { roots: [unit.node], loops }
    if (!loops.sizes.includes(0)) groups.set(unit, group)
    return groups.get(unit)
  }
  const join = (a: Unit, b: Unit): void => {
    const [first, second] = [groupOf(a), groupOf(b)]
    const loops = first && second && a !== b && commonLoops(first, second)
    if (!loops) return
    if (a.nodes.length + b.nodes.length > limits.maxOperations || !meet(a, b)) return
    const roots = [...first.roots, ...second.roots].sort((x, y) => position.get(x)! - position.get(y)!)
    const stored = roots.filter((root) => graph.isNeeded(root.outputs[0]!, a, b))
    if (stored.length + readsOf(a, b).size > Math.min(limits.maxBuffers, mostBuffers)) return
    const merged = graph.merge(a, b, () => {
      const group = fuseRoots(roots, stored, inlined, loops)
      if (!group || !isWorthwhile(group)) return undefined
      return { kind: 'fused', node: stored.at(-1)!, ...group }
    })
    if (merged) groups.set(merged, { roots, loops })
  }
  /** Those that read a tensor and came last. */
  const recent = new Map<Tensor, readonly Unit[]>()
  for (const original of graph.units()) {
    if (original.kind !== 'fused') continue
    for (const t of original.inputs) {
      const producer = graph.producerOf(t)
      if (producer) join(producer, graph.at(original))
    }
    for (const t of original.inputs) {
      const before = recent.get(t) ?? []
      for (const other of before)
        if (keepsLittle(graph, graph.at(other), graph.at(original))) join(graph.at(other), graph.at(original))
      recent.set(t, [...before, original].slice(-neighbours))
    }
  }
}

/**
 * Have two units something large in common? If what they share is small next to what each of them reads, running them together saves
 * nothing, and keeps the one's inputs alive until the other's are there.
 */
function meet(a: Unit, b: Unit): boolean {
  const bytes = Math.max(...[...a.inputs, ...b.inputs].map(bytesOf))
  const large = ({ inputs, outputs }: Unit): Tensor[] =>
    [...inputs, ...outputs].filter((t) => 8 * bytesOf(t) > bytes)
  const [ofA, ofB] = [large(a), new Set(large(b))]
  return ofA.length === 0 || ofB.size === 0 || ofA.some((t) => ofB.has(t))
}

/**
 * Do two units that only read the same keep little more alive when they run together? They do where one makes only what is small, where
 * the same unit reads what both make, or where it is written into variables.
 */
function keepsLittle(graph: UnitGraph, a: Unit, b: Unit): boolean {
  const [large, others] = [a, b].map((unit) => unit.outputs.filter((t) => isKept(graph, t, unit))) as [
    Tensor[],
    Tensor[],
  ]
  if (large.length === 0 || others.length === 0) return true
  const readers = new Set(large.flatMap((t) => [...graph.readersOf(t)]))
  return others.every((t) => [...graph.readersOf(t)].some((reader) => readers.has(reader)))
}

/** Does an output stay in memory of its own, and is it about as large as what the unit reads? */
function isKept(graph: UnitGraph, t: Tensor, { inputs }: Unit): boolean {
  const bytes = Math.max(0, ...inputs.map(bytesOf))
  return 8 * bytesOf(t) > bytes && [...graph.readersOf(t)].some(({ kind }) => kind !== 'assign')
}

/** Loops that two groups can share: the same ones, or those of a reduction where the other runs over all of its points or its kept ones. */
function commonLoops(a: Group, b: Group): Loops | undefined {
  if (sameLoops(a.loops, b.loops)) return a.loops
  const [reducing, plain] = a.loops.reduced.includes(true) ? [a.loops, b.loops] : [b.loops, a.loops]
  if (plain.reduced.includes(true)) return undefined
  const fits = (sizes: Size): boolean => sameSizes(plain.sizes, withoutUnits(sizes))
  return fits(reducing.sizes) || fits(keptSizes(reducing)) ? reducing : undefined
}

/** What two units read that neither of them makes. */
function readsOf(a: Unit, b: Unit): Set<Tensor> {
  const reads = new Set([...a.inputs, ...b.inputs])
  for (const t of [...a.outputs, ...b.outputs]) reads.delete(t)
  return reads
}

function isWorthwhile({ kernel }: FusedGroup): boolean {
  if (sizeOf(kernel.axes) <= littleWork || !waits(kernel)) return true
  return sizeOf(kernel.axes.slice(0, kernel.axes.length - kernel.reduced)) >= enoughRows
}

/** Does one pass of a kernel need what another finds? */
function waits(kernel: FusedKernel): boolean {
  const needy = [
    ...kernel.reductions.map(({ term }) => term),
    ...kernel.stores.filter((store) => storesEverywhere(kernel, store)).map(({ value }) => value),
  ]
  return needy.some((root) => someExpr(root, (e) => e.op === 'acc'))
}
