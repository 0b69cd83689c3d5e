// How much arithmetic a kernel is: floating-point operations, counted from what it says.
import { dtypes } from '../dtype.ts'
import type { Node } from '../graph/graph.ts'
import { isBinaryExpr, isUnaryExpr, subexpressions } from '../ir/expr.ts'
import type { Expr } from '../ir/expr.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import { storesEverywhere } from '../ir/kernel.ts'
import type { ConcreteType } from '../shape.ts'
import { sizeOf } from '../shape.ts'

/** Expressions of a kernel, and how often they are computed. */
export function evaluations(
  kernel: FusedKernel,
): { readonly values: readonly Expr[]; readonly times: number }[] {
  const points = sizeOf(kernel.axes)
  const kept = sizeOf(kernel.axes.slice(0, kernel.axes.length - kernel.reduced))
  const everywhere = kernel.stores.filter((store) => storesEverywhere(kernel, store) || kernel.reduced === 0)
  const once = kernel.stores.filter((store) => !everywhere.includes(store))
  const valuesOf = (stores: FusedKernel['stores']): Expr[] => stores.map(({ value }) => value)
  return [
    ...kernel.reductions.map(({ term }) => ({ values: [term], times: points })),
    { values: valuesOf(everywhere), times: points },
    { values: valuesOf(once), times: kept },
  ]
}

/** Operations of a fused kernel: each of a float counts one, an exponential like an addition. */
export function flopsOfKernel(kernel: FusedKernel): number {
  const combined = kernel.reductions.filter(({ dtype }) => isFloat(dtype)).length * sizeOf(kernel.axes)
  return evaluations(kernel).reduce((sum, { values, times }) => sum + times * operations(values), combined)
}

const isFloat = (dtype: ConcreteType['dtype']): boolean => dtypes[dtype].kind === 'float'

const operations = (roots: readonly Expr[]): number =>
  [...subexpressions(...roots)].filter((e) => (isUnaryExpr(e) || isBinaryExpr(e)) && isFloat(e.dtype)).length

/** Operations of a hand-written kernel; undefined where its op does not say. */
export function flopsOfNode({ op, inputs, outputs, attrs }: Node): number | undefined {
  const { body } = op
  if (body.kind !== 'kernel') return undefined
  const types = (tensors: Node['outputs']): ConcreteType[] => tensors.map((t) => t.type as ConcreteType)
  return body.flops?.(types(inputs), types(outputs), attrs as never)
}
