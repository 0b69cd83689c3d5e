// What costs more to compute again than to keep: kernels, reductions, and functions that take many instructions for each element.
import type { Node, Tensor } from '../graph/graph.ts'
import { E, someExpr } from '../ir/expr.ts'
import type { Expr } from '../ir/expr.ts'
import type { ConcreteType } from '../shape.ts'
import { isConcrete } from '../shape.ts'

/** Operations that a processor does in an instruction or two; all others take tens of them. */
const plain = new Set<Expr['op']>([
  ...(['const', 'axis', 'load', 'acc', 'cast', 'select', 'lt', 'le', 'eq', 'ne'] as const),
  ...(['neg', 'abs', 'sign', 'not', 'bitNot', 'floor', 'ceil', 'round', 'trunc', 'sqrt'] as const),
  ...(['add', 'sub', 'mul', 'div', 'min', 'max', 'and', 'or', 'xor', 'shl', 'shr'] as const),
])

const known = new WeakMap<Node, boolean>()

/** Is it cheaper to load a node's outputs than to compute them? Sizes that are not known count as costly. */
export function isCostly(node: Node): boolean {
  let found = known.get(node)
  if (found === undefined) known.set(node, (found = costs(node)))
  return found
}

function costs(node: Node): boolean {
  const { body } = node.op
  if (body.kind === 'view') return false
  if (body.kind === 'runtime') return node.inputs.length > 0
  if (body.kind !== 'scalar') return true
  const [output] = node.outputs as [Tensor]
  if (node.inputs.length === 0) return false
  if (!isConcrete(output.shape) || !node.inputs.every((t) => isConcrete(t.shape))) return true
  const at = output.shape.map((_, axis) => E.axis(axis))
  const args = node.inputs.map((t, i) => E.load(i, E.axis(0), t.dtype))
  const value = body.expr(args as never, node.attrs as never, {
    at,
    inputs: node.inputs.map((t) => t.type as ConcreteType),
    output: output.type as ConcreteType,
  })
  return someExpr(value, (e) => !plain.has(e.op))
}

/** The nearest costly values that `t` is made of, itself among them if it is costly; parameters and constants are none. */
export function costlyBefore(roots: Iterable<Tensor>): Set<Tensor> {
  const found = new Set<Tensor>()
  const seen = new Set<Tensor>()
  const stack = [...roots]
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (seen.has(t)) continue
    seen.add(t)
    if (isCostly(t.node)) found.add(t)
    else stack.push(...t.node.inputs)
  }
  return found
}
