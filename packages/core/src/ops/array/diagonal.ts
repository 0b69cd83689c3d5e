// Diagonals of matrices: diagonal `offset` holds the elements whose column is `offset` more than their row.
import { fixedSize, numerics } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import type { IndexMap } from '../../ir/kernel.ts'
import { int } from '../../ir/view.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Dim, Shape } from '../../shape.ts'
import { formatShape, unknown } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { select } from '../math/select.ts'
import { sum } from '../reduce/sum.ts'
import { zerosLike } from './fill.ts'
import { iota } from './iota.ts'
import { equal } from '../math/equal.ts'
import { add } from '../math/add.ts'

const offsetAttr = {
  offset: attr.int('which diagonal: 0 the main one, above it positive, below it negative', 0),
}

/** Column less row of the element that is being computed. */
const diagonalAt = (at: readonly Expr[]): Expr => E.sub(at.at(-1)!, at.at(-2)!)

/** Reads a vector along a diagonal, and zeros elsewhere. */
const onDiagonal = (at: readonly Expr[], offset: number): IndexMap => ({
  index: [...at.slice(0, -2), E.sub(at.at(-2)!, int(Math.max(0, -offset)))],
  valid: E.eq(diagonalAt(at), int(offset)),
})

/** Matrices [..., n + |offset|, n + |offset|] with x [..., n] on a diagonal and zeros elsewhere. */
export const diag = defineOp({
  name: 'Diag',
  doc: 'Matrices with x [..., n] on a diagonal and zeros elsewhere.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: offsetAttr,
  infer: ([x], { offset }) => {
    const n = x.shape.at(-1)
    if (n === undefined) throw new ShapeError('needs vectors, got a scalar: reshape it to [1]')
    const size: Dim = offset === 0 ? n : typeof n === 'number' ? n + Math.abs(offset) : unknown
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, -1), size, size] }]
  },
  grad: ({ dy, attrs }: GradContext<readonly ['x'], typeof offsetAttr>): [Tensor] => [diagPart(dy, attrs)],
  body: { kind: 'view', map: (at, _, { offset }) => onDiagonal(at, offset) },
})

/** A diagonal [..., n] of matrices [..., rows, columns]. */
export const diagPart = defineOp({
  name: 'DiagPart',
  doc: 'A diagonal [..., n] of matrices [..., rows, columns].',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: offsetAttr,
  infer: ([x], { offset }) => [
    { dtype: x.dtype, shape: [...x.shape.slice(0, -2), diagonalSize(x.shape, offset)] },
  ],
  grad: ({ dy, inputs: [x], attrs }: GradContext<readonly ['x'], typeof offsetAttr>): [Tensor] => [
    setDiag(zerosLike(x), dy, attrs),
  ],
  body: {
    kind: 'view',
    map: (at, _, { offset }) => ({
      index: [
        ...at.slice(0, -1),
        E.add(at.at(-1)!, int(Math.max(0, -offset))),
        E.add(at.at(-1)!, int(Math.max(0, offset))),
      ],
    }),
  },
})

/** x [..., rows, columns] with one of its diagonals replaced by `diagonal` [..., n]. */
export const setDiag = defineOp({
  name: 'SetDiag',
  doc: 'Matrices x [..., rows, columns] with one of their diagonals replaced by another [..., n].',
  inputs: ['x', 'diagonal'],
  dtypes: [fixedSize, fixedSize],
  attrs: offsetAttr,
  infer: ([x, diagonal], { offset }) => {
    const n = diagonalSize(x.shape, offset)
    const given = diagonal.shape.at(-1)
    if (
      diagonal.shape.length !== x.shape.length - 1 ||
      (typeof n === 'number' && typeof given === 'number' && n !== given)
    )
      throw new ShapeError(
        `diagonal ${offset} of ${formatShape(x.shape)} has ${n} elements, got ${formatShape(diagonal.shape)}`,
      )
    return [x]
  },
  grad: ({
    dy,
    inputs: [, diagonal],
    attrs,
  }: GradContext<readonly ['x', 'diagonal'], typeof offsetAttr>): [Tensor, Tensor] => [
    setDiag(dy, zerosLike(diagonal), attrs),
    diagPart(dy, attrs),
  ],
  body: {
    kind: 'composite',
    build: ([x, diagonal], { offset }): Tensor => {
      const [rows, columns] = x.shape.slice(-2) as [number, number]
      const on = equal(add(iota({ shape: [rows, 1], axis: 0 }), offset), iota({ shape: [1, columns] }))
      return select(on, spread(diagonal, { rows, columns, offset }), x)
    },
  },
})

/** The diagonal [..., n] in every place of its row, so that only the right one need be chosen. */
const spread = defineOp({
  name: 'SpreadDiagonal',
  doc: 'Matrices with the diagonal [..., n] in its places and zeros elsewhere.',
  inputs: ['diagonal'],
  dtypes: [fixedSize],
  attrs: { ...offsetAttr, rows: attr.int('the number of rows'), columns: attr.int('the number of columns') },
  infer: ([diagonal], { rows, columns }) => [
    { dtype: diagonal.dtype, shape: [...diagonal.shape.slice(0, -1), rows, columns] },
  ],
  grad: ({ dy, attrs: { offset } }): [Tensor] => [diagPart(dy, { offset })],
  body: { kind: 'view', map: (at, _, { offset }) => onDiagonal(at, offset) },
})
/** The definition behind `setDiag`. */
export const spreadDiagonalDef = { def: spread.def }

/** x [..., rows, columns] with zeros on all diagonals below `from` and above `to`. */
export const band = defineOp({
  name: 'BandPart',
  doc: 'Matrices with zeros on all diagonals below one and above another.',
  inputs: ['x'],
  dtypes: [numerics],
  attrs: {
    from: attr.int('the lowest diagonal that is kept; all below the main one when left out', undefined),
    to: attr.int('the highest diagonal that is kept; all above the main one when left out', undefined),
  },
  infer: ([x]) => {
    diagonalSize(x.shape, 0)
    return [x]
  },
  grad: ({ dy, attrs: { from, to } }): [Tensor] => [band(dy, { from, to })],
  body: {
    kind: 'scalar',
    expr([x], { from, to }, { at }) {
      const diagonal = diagonalAt(at)
      const tests = [
        ...(from === undefined ? [] : [E.le(int(from), diagonal)]),
        ...(to === undefined ? [] : [E.le(diagonal, int(to))]),
      ]
      return tests.length === 0 ? x : E.select(tests.reduce(E.and), x, E.num(0, x.dtype))
    },
  },
})

/** x with only `lower` diagonals below the main one and `upper` above it left, all others zeros; negative: all. */
export const bandPart = (
  x: TensorLike,
  { lower, upper }: { readonly lower: number; readonly upper: number },
): Tensor => band(x, { ...(lower >= 0 && { from: -lower }), ...(upper >= 0 && { to: upper }) })
/** The upper triangle of matrices, from diagonal `offset` (default 0, the main one) on. */
export const triu = (x: TensorLike, { offset = 0 }: { readonly offset?: number } = {}): Tensor =>
  band(x, { from: offset })
/** The lower triangle of matrices, up to diagonal `offset` (default 0, the main one). */
export const tril = (x: TensorLike, { offset = 0 }: { readonly offset?: number } = {}): Tensor =>
  band(x, { to: offset })
/** The sum of the main diagonal of matrices [..., rows, columns]. */
export const trace = (x: TensorLike): Tensor => sum(diagPart(toTensor(x)), { axes: [-1] })

function diagonalSize(shape: Shape, offset: number): Dim {
  const [rows, columns] = shape.slice(-2)
  if (shape.length < 2) throw new ShapeError(`needs matrices, got ${formatShape(shape)}`)
  if (typeof rows !== 'number' || typeof columns !== 'number')
    return offset === 0 && rows === columns ? rows! : unknown
  const size = Math.min(rows + Math.min(0, offset), columns - Math.max(0, offset))
  if (size < 0) throw new ShapeError(`${formatShape(shape)} has no diagonal ${offset}`)
  return size
}
