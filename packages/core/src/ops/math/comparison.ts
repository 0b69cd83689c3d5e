// Comparisons differ in one expression; this maker states the rest once.
import type { DType } from '../../dtype.ts'
import { fixedSize } from '../../dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Op } from '../../op.ts'
import { binary } from '../elementwise.ts'

interface ComparisonSpec {
  readonly name: string
  readonly doc: string
  readonly commutative?: boolean
  /** Default: all but strings. */
  readonly dtypes?: readonly DType[]
  readonly expr: (a: Expr, b: Expr) => Expr
}

/** An element-wise test of two inputs of one dtype, with broadcasting; the answer is bool and has no gradient. */
export const comparison = ({
  name,
  doc,
  commutative = false,
  dtypes = fixedSize,
  expr,
}: ComparisonSpec): Op<readonly ['a', 'b'], {}, readonly ['y']> =>
  binary({ name, doc, dtypes, result: 'bool', traits: { commutative }, expr, grad: null })
