// Turns a root node and what is inlined into it into one loop nest of the kernel IR.
import type { DType } from '../dtype.ts'
import { dtypes } from '../dtype.ts'
import type { Node, Tensor } from '../graph/graph.ts'
import type { Expr } from '../ir/expr.ts'
import { E } from '../ir/expr.ts'
import type { FusedKernel, SimpleKernel } from '../ir/kernel.ts'
import { simpleKernel } from '../ir/kernel.ts'
import { collapseAxes } from '../ir/collapse.ts'
import { broadcastIndex, flatIndex, int, unflatten } from '../ir/view.ts'
import type { ConcreteType, Size } from '../shape.ts'
import { sizeOf } from '../shape.ts'

/** A kernel and the tensors that it reads, in the order of its inputs. */
export interface FusedGroup {
  readonly kernel: FusedKernel
  readonly inputs: readonly Tensor[]
  /** The nodes whose work it does. */
  readonly nodes: readonly Node[]
}

/** The kernel of a root and of all that is inlined into it. */
export function fuseGroup(root: Node, inlined: ReadonlySet<Node>): FusedGroup {
  return new Fuser(root, inlined).fuse()
}

class Fuser {
  private readonly root: Node
  private readonly inlined: ReadonlySet<Node>
  private readonly inputs: Tensor[] = []
  private readonly nodes = new Set<Node>()
  private reduction: Node | undefined
  private readonly known = new Map<Tensor, { at: readonly Expr[]; value: Expr }[]>()
  constructor(root: Node, inlined: ReadonlySet<Node>) {
    this.root = root
    this.inlined = inlined
  }

  fuse(): FusedGroup {
    const output = this.root.outputs[0]!.type as ConcreteType
    const reduction = this.findReduction()
    const kernel = reduction ? this.reduceKernel(reduction, output) : this.mapKernel(output)
    return { kernel: collapseAxes(kernel), inputs: this.inputs, nodes: [...this.nodes] }
  }

  private mapKernel(output: ConcreteType): FusedKernel {
    const body = this.compute(
      this.root,
      output.shape.map((_, axis) => E.axis(axis)),
    )
    return this.kernel(output, { axes: output.shape, reduced: 0, body })
  }

  private reduceKernel(reduction: Node, output: ConcreteType): FusedKernel {
    const { body: rule } = reduction.op
    if (rule.kind !== 'reduce') throw new TypeError('not a reduction')
    const input = reduction.inputs[0]!
    const shape = input.shape as Size
    const reducedAxes = rule.axes(reduction.attrs as never, input.type)
    const keptAxes = shape.map((_, axis) => axis).filter((axis) => !reducedAxes.includes(axis))
    const loops = [...keptAxes, ...reducedAxes]
    this.nodes.add(reduction)
    const body = this.valueAt(
      input,
      shape.map((_, axis) => E.axis(loops.indexOf(axis))),
    )
    this.reduction = reduction
    const kept = keptAxes.map((axis) => shape[axis]!)
    const flat = flatIndex(
      kept.map((_, axis) => E.axis(axis)),
      kept,
    )
    const epilogue = this.compute(this.root, unflatten(flat, output.shape))
    return this.kernel(output, {
      axes: loops.map((axis) => shape[axis]!),
      reduced: reducedAxes.length,
      body,
      reduce: { combine: rule.combine, dtype: dtypes[input.dtype].compute, epilogue },
    })
  }

  private kernel(
    output: ConcreteType,
    loops: Pick<SimpleKernel, 'axes' | 'reduced' | 'body' | 'reduce'>,
  ): FusedKernel {
    return simpleKernel({
      name: this.root.name,
      inputs: this.inputs.map((t) => ({ dtype: t.dtype, length: sizeOf(t.shape as Size) })),
      output: { dtype: output.dtype, length: sizeOf(output.shape) },
      ...loops,
    })
  }

  /** The reduction among the root and what is inlined into it; fusion sees to it that there is at most one. */
  private findReduction(): Node | undefined {
    const stack = [this.root]
    const seen = new Set<Node>()
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (node.op.body.kind === 'reduce') return node
      for (const t of node.inputs)
        if (this.inlined.has(t.node) && !seen.has(t.node)) {
          seen.add(t.node)
          stack.push(t.node)
        }
    }
    return undefined
  }

  /** The value of a tensor at an index. */
  private valueAt(t: Tensor, at: readonly Expr[]): Expr {
    const values = this.known.get(t) ?? []
    const found = values.find((v) => v.at.every((x, i) => x === at[i]))
    if (found) return found.value
    const value = this.inlined.has(t.node) ? this.compute(t.node, at) : (literal(t) ?? this.load(t, at))
    this.known.set(t, [...values, { at, value }])
    return value
  }

  private compute(node: Node, at: readonly Expr[]): Expr {
    const { body } = node.op
    this.nodes.add(node)
    const output = node.outputs[0]!.type as ConcreteType
    const types = node.inputs.map((t) => t.type as ConcreteType)
    if (node === this.reduction) return E.acc(0, output.dtype)
    if (body.kind === 'scalar') {
      const args = node.inputs.map((t) => this.valueAt(t, broadcastIndex(at, t.shape as Size)))
      return body.expr(args, node.attrs as never, { at, inputs: types, output })
    }
    if (body.kind !== 'view') throw new TypeError(`${node.op.name} cannot be part of an expression`)
    const input = node.inputs[0]!
    const map = body.map(at, types[0]!, node.attrs as never, output)
    const { valid } = map
    if (!valid) return this.valueAt(input, map.index)
    // Nothing is ever read out of range, not even for a value that is not used.
    const inside = map.index.map((x) => E.select(valid, x, int(0)))
    return E.select(valid, this.valueAt(input, inside), E.num(map.fill ?? 0, output.dtype))
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
