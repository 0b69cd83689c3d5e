// The same elements in another shape.
import type { Tensor } from '../../graph/graph.ts'
import type { Expr } from '../../ir/expr.ts'
import { flatIndex, unflatten } from '../../ir/view.ts'
import { attr, defineOp } from '../../op.ts'
import { ShapeError } from '../../errors.ts'
import type { Dim, Shape, Size } from '../../shape.ts'
import { formatShape, isConcrete, sizeOf, unknown } from '../../shape.ts'

/** The same elements in another shape; one size may be -1 and is then whatever is left. */
export const reshape = defineOp({
  name: 'Reshape',
  doc: 'The same elements in another shape; one size may be -1 and is then whatever is left.',
  inputs: ['x'],
  attrs: { shape: attr.openShape('the new shape') },
  infer: ([x], { shape }) => [{ dtype: x.dtype, shape: resolve(x.shape, shape) }],
  grad: ({ dy, inputs: [x] }): [Tensor] => [reshapeLike(dy, x)],
  body: {
    kind: 'view',
    map: (at, input, _, output) => ({ index: reshapeIndex(at, output.shape, input.shape) }),
  },
})

/** The elements of x in the shape of `like`, whose values are not used. */
export const reshapeLike = defineOp({
  name: 'ReshapeLike',
  doc: 'The elements of x in the shape of another tensor, whose values are not used.',
  inputs: ['x', 'like'],
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: resolve(x.shape, like.shape) }],
  grad: ({ dy, inputs: [x] }): [Tensor, null] => [reshapeLike(dy, x), null],
  body: { kind: 'composite', build: ([x, like]): Tensor => reshape(x, { shape: like.shape }) },
})

const reshapeIndex = (at: readonly Expr[], to: Size, from: Size): readonly Expr[] =>
  unflatten(flatIndex(at, to), from)

function resolve(from: Shape, to: Shape): Shape {
  const wild = to.indexOf(-1)
  if (
    to.some((d, i) => typeof d === 'number' && d < 0 && i !== wild) ||
    (wild >= 0 && to.lastIndexOf(-1) !== wild)
  )
    throw new ShapeError(`${formatShape(to)}: sizes are not negative, and one of them may be -1`)
  const misfit = () =>
    new ShapeError(`${formatShape(from)} does not have as many elements as ${formatShape(to)}`)
  if (isConcrete(from) && isConcrete(to)) {
    const size = sizeOf(from)
    if (wild < 0) {
      if (sizeOf(to) !== size) throw misfit()
      return to
    }
    const rest = sizeOf(to.filter((_, i) => i !== wild) as number[])
    if (rest === 0 ? size !== 0 : size % rest !== 0) throw misfit()
    return to.map((d, i) => (i === wild ? (rest === 0 ? 0 : size / rest) : d))
  }
  return wild < 0 ? to : to.map((d, i) => (i === wild ? left(from, to) : d))
}

/** What -1 stands for when the named sizes on both sides cancel. */
function left(from: Shape, to: Shape): Dim {
  const names = from.filter((d) => typeof d === 'string')
  for (const d of to) {
    if (typeof d !== 'string') continue
    const i = names.indexOf(d)
    if (d === unknown || i < 0) return unknown
    names.splice(i, 1)
  }
  const numbers = (shape: Shape): number =>
    shape.reduce<number>((p, d) => (typeof d === 'number' && d !== -1 ? p * d : p), 1)
  const ratio = numbers(from) / numbers(to)
  if (names.length === 0) return Number.isInteger(ratio) ? ratio : unknown
  return names.length === 1 && ratio === 1 && names[0] !== unknown ? names[0]! : unknown
}
