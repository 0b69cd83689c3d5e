// Repetition of a whole, and of its elements.
import { fixedSize, numerics } from '../../dtype.ts'
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { int } from '../../ir/view.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, normalizeAxis, unknown } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { sum } from '../reduce/sum.ts'
import { expandDims } from './expandDims.ts'
import { reshape } from './reshape.ts'

const attributes = { times: attr.ints('how often, per axis') }

/** x laid side by side with itself, `times[i]` times along axis i. */
export const tile = defineOp({
  name: 'Tile',
  doc: 'x laid side by side with itself, so many times along each axis.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: attributes,
  infer: ([x], { times }) => {
    if (times.length !== x.shape.length || times.some((n) => n < 0))
      throw new AttrError(
        `times [${times}] must have one number, not negative, for each axis of ${formatShape(x.shape)}`,
      )
    return [
      {
        dtype: x.dtype,
        shape: x.shape.map((d, i) => (times[i] === 1 ? d : typeof d === 'number' ? d * times[i]! : unknown)),
      },
    ]
  },
  grad: ({ dy, inputs: [x], attrs: { times } }): [Tensor] => [tileBack(dy, x, { times })],
  body: {
    kind: 'view',
    map: (at, { shape }, { times }) => ({
      index: at.map((i, axis) => (times[axis] === 1 ? i : E.rem(i, int(shape[axis]!)))),
    }),
  },
})

/** The sum of the tiles of x; one tile has the shape of `like`, whose values are not used. */
export const tileBack = defineOp({
  name: 'TileBack',
  doc: 'The sum of the tiles of x; one tile has the shape of another tensor, whose values are not used.',
  inputs: ['x', 'like'],
  dtypes: [numerics],
  attrs: attributes,
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: like.shape }],
  grad: ({ dy, attrs: { times } }): [Tensor, null] => [tile(dy, { times }), null],
  body: {
    kind: 'composite',
    build: ([x, like], { times }): Tensor =>
      sum(reshape(x, { shape: like.shape.flatMap((d, i) => [times[i]!, d]) }), {
        axes: times.map((_, i) => 2 * i),
      }),
  },
})

/** x with every element repeated `times` times along an axis (default the first): a, a, b, b, … */
export function repeat(x: TensorLike, times: number, { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  const values = toTensor(x)
  const at = normalizeAxis(axis, values.rank)
  const copies = tile(expandDims(values, { axis: at + 1 }), {
    times: Array.from({ length: values.rank + 1 }, (_, i) => (i === at + 1 ? times : 1)),
  })
  const size = values.shape[at]!
  return reshape(copies, {
    shape: values.shape.map((d, i) => (i === at ? (typeof size === 'number' ? size * times : -1) : d)),
  })
}
