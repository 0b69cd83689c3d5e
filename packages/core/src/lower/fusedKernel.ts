// Turns root nodes that run over the same loops, with what is inlined into them, into one loop nest of the kernel IR.
import type { DType } from '../dtype.ts'
import { dtypes } from '../dtype.ts'
import { InternalError } from '../errors.ts'
import type { Node, Tensor } from '../graph/graph.ts'
import type { Expr } from '../ir/expr.ts'
import { E } from '../ir/expr.ts'
import type { FusedKernel, KernelReduction, KernelStore } from '../ir/kernel.ts'
import { Simplifier } from '../ir/simplify.ts'
import { broadcastIndex, flatIndex, int, unflatten } from '../ir/view.ts'
import type { ConcreteType, Size } from '../shape.ts'
import { sizeOf } from '../shape.ts'
import type { Loops } from './loops.ts'
import { keptSizes, loopsOf, loopsOfReduction, sameLoops, sameSizes, withoutUnits } from './loops.ts'

/** A kernel, as its nodes say it and not yet simplified, and the tensors that it reads and stores, in the order of its inputs and outputs. */
export interface FusedGroup {
  readonly kernel: FusedKernel
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  /** The nodes whose work it does. */
  readonly nodes: readonly Node[]
}

/** The kernel of one root and of all that is inlined into it. */
export function fuseGroup(root: Node, inlined: ReadonlySet<Node>): FusedGroup {
  return new Fuser([root], inlined, loopsOf(root, inlined)).fuse([root])
}

/**
 * The kernel of several roots over common loops; undefined where one reads what another makes at another point than its own.
 * @param roots in dependency order.
 * @param stored those whose value is needed outside.
 */
export function fuseRoots(
  roots: readonly Node[],
  stored: readonly Node[],
  inlined: ReadonlySet<Node>,
  loops: Loops,
): FusedGroup | undefined {
  try {
    return new Fuser(roots, inlined, loops).fuse(stored)
  } catch (error) {
    if (error instanceof OtherPoint) return undefined
    throw error
  }
}

/** Roots cannot share loops. */
class OtherPoint extends Error {
  override readonly name = 'OtherPoint'
}

/** The value of a root, and the point where it is known. */
interface Known {
  readonly index: Expr
  readonly value: Expr
}

class Fuser {
  private readonly roots: readonly Node[]
  private readonly inlined: ReadonlySet<Node>
  private readonly loops: Loops
  /** Kept loops come first. */
  private readonly axes: Size
  /** The counter of each loop. */
  private readonly counters: readonly Expr[]
  private readonly kept: readonly Expr[]
  private readonly simplifier: Simplifier
  private readonly inputs: Tensor[] = []
  private readonly nodes = new Set<Node>()
  private readonly reductions: KernelReduction[] = []
  private readonly finished = new Map<Node, Expr>()
  private readonly done = new Map<Node, Known>()
  private readonly values = new Map<Tensor, { at: readonly Expr[]; value: Expr }[]>()

  constructor(roots: readonly Node[], inlined: ReadonlySet<Node>, loops: Loops) {
    this.roots = roots
    this.inlined = inlined
    this.loops = loops
    const order = [false, true].flatMap((side) =>
      loops.sizes.flatMap((_, axis) => (loops.reduced[axis] === side ? [axis] : [])),
    )
    this.axes = order.map((axis) => loops.sizes[axis]!)
    this.counters = loops.sizes.map((_, axis) => E.axis(order.indexOf(axis)))
    this.kept = this.counters.filter((_, axis) => !loops.reduced[axis])
    this.simplifier = new Simplifier(this.axes)
  }

  fuse(stored: readonly Node[]): FusedGroup {
    const places = new Map(this.roots.map((root) => [root, this.placeOf(root)]))
    for (const root of this.roots) {
      const { at, index } = places.get(root)!
      this.done.set(root, { index: this.simplifier.simplify(index), value: this.compute(root, at) })
    }
    const stores = stored.map((root): KernelStore => {
      const { dtype, shape } = root.outputs[0]!.type as ConcreteType
      return { dtype, length: sizeOf(shape), ...this.done.get(root)! }
    })
    const kernel = {
      name: stored.at(-1)!.name,
      inputs: this.inputs.map((t) => ({ dtype: t.dtype, length: sizeOf(t.shape as Size) })),
      axes: this.axes,
      reduced: this.loops.reduced.filter((reduced) => reduced).length,
      reductions: this.reductions,
      stores,
    }
    return {
      kernel,
      inputs: this.inputs,
      outputs: stored.map((root) => root.outputs[0]!),
      nodes: [...this.nodes],
    }
  }

  /** Where a root is computed: at every point, or once for each point of the kept loops. */
  private placeOf(root: Node): { readonly at: readonly Expr[]; readonly index: Expr } {
    const shape = root.outputs[0]!.shape as Size
    const sizes = withoutUnits(shape)
    const everywhere = sameSizes(sizes, withoutUnits(this.loops.sizes)) && !this.endsReduction(root)
    const [loops, counters] = everywhere
      ? [this.loops.sizes, this.counters]
      : [keptSizes(this.loops), this.kept]
    const index = flatIndex(counters, loops)
    const proper = counters.filter((_, axis) => loops[axis] !== 1)
    let next = 0
    const at = sameSizes(sizes, withoutUnits(loops))
      ? shape.map((size) => (size === 1 ? int(0) : proper[next++]!))
      : unflatten(index, shape)
    return { at, index }
  }

  /** Is what a root stores the outcome of a reduction over these loops? */
  private endsReduction(root: Node): boolean {
    return this.loops.reduced.includes(true) && sameLoops(loopsOf(root, this.inlined), this.loops)
  }

  /** The value of a tensor at an index. */
  private valueAt(t: Tensor, at: readonly Expr[]): Expr {
    const root = this.done.get(t.node)
    if (root) {
      if (this.simplifier.simplify(flatIndex(at, t.shape as Size)) !== root.index) throw new OtherPoint()
      return root.value
    }
    const values = this.values.get(t) ?? []
    const found = values.find((v) => v.at.every((x, i) => x === at[i]))
    if (found) return found.value
    const value = this.inlined.has(t.node) ? this.compute(t.node, at) : (literal(t) ?? this.load(t, at))
    this.values.set(t, [...values, { at, value }])
    return value
  }

  private compute(node: Node, at: readonly Expr[]): Expr {
    const value = this.express(node, at)
    this.nodes.add(node)
    const { dtype } = node.outputs[0]!
    // Half precision is rounded as if it were stored: a value is the same wherever it is computed.
    const rounds =
      dtype !== dtypes[dtype].compute && dtypes[dtype].kind === 'float' && node.op.body.kind !== 'view'
    return rounds ? E.cast(value, dtype) : value
  }

  private express(node: Node, at: readonly Expr[]): Expr {
    const { body } = node.op
    const output = node.outputs[0]!.type as ConcreteType
    const types = node.inputs.map((t) => t.type as ConcreteType)
    if (body.kind === 'reduce') return this.reduce(node, at)
    if (body.kind === 'scalar') {
      const args = node.inputs.map((t) => this.valueAt(t, broadcastIndex(at, t.shape as Size)))
      return body.expr(args, node.attrs as never, { at, inputs: types, output })
    }
    if (body.kind !== 'view') throw new InternalError('cannot be part of an expression', { node })
    const input = node.inputs[0]!
    const map = body.map(at, types[0]!, node.attrs as never, output)
    const { valid } = map
    if (!valid) return this.valueAt(input, map.index)
    // Nothing is ever read out of range, not even for a value that is not used.
    const inside = map.index.map((x) => E.select(valid, x, int(0)))
    return E.select(valid, this.valueAt(input, inside), E.num(map.fill ?? 0, output.dtype))
  }

  /** The outcome of a reduction, at the point of the kept loops that is being computed. */
  private reduce(node: Node, at: readonly Expr[]): Expr {
    const { body } = node.op
    if (body.kind !== 'reduce' || !sameLoops(loopsOfReduction(node), this.loops)) throw new OtherPoint()
    const [input, output] = [node.inputs[0]!, node.outputs[0]!]
    const here = this.simplifier.simplify(flatIndex(this.kept, keptSizes(this.loops)))
    // A root of its own was asked for its point by whoever fused it.
    if (this.roots.length > 1 && this.simplifier.simplify(flatIndex(at, output.shape as Size)) !== here)
      throw new OtherPoint()
    const known = this.finished.get(node)
    if (known) return known
    const reducedAxes = new Set(body.axes(node.attrs as never, input.type))
    let next = 0
    const point = (input.shape as Size).map((size, axis) =>
      size === 1 && !reducedAxes.has(axis) ? int(0) : this.counters[next++]!,
    )
    const term = this.valueAt(input, point)
    const { compute } = dtypes[input.dtype]
    const value = E.acc(this.reductions.length, output.dtype)
    this.reductions.push({ combine: body.combine, dtype: compute, term })
    this.finished.set(node, value)
    return value
  }

  private load(t: Tensor, at: readonly Expr[]): Expr {
    let input = this.inputs.indexOf(t)
    if (input < 0) input = this.inputs.push(t) - 1
    return E.load(input, flatIndex(at, t.shape as Size), t.dtype)
  }
}

/** A constant of one element is part of the code. */
function literal(t: Tensor): Expr | undefined {
  const { body } = t.node.op
  if (body.kind !== 'runtime' || body.role !== 'constant') return undefined
  const value = t.node.attrs['value'] as { size: number; item(): number | bigint | boolean; dtype: DType }
  if (value.size !== 1) return undefined
  const item = value.item()
  return E.num(typeof item === 'boolean' ? Number(item) : item, t.dtype)
}
