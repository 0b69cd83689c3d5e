// Undoes broadcasting: sums a gradient down to the shape of the input that was broadcast.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { defineOp } from '../../op.ts'
import type { Shape } from '../../shape.ts'
import { unknown } from '../../shape.ts'
import { broadcastLike } from '../array/broadcastTo.ts'
import { reshape } from '../array/reshape.ts'
import { sum } from './sum.ts'

/** x summed down to the shape of `like`, whose values are not used: the opposite of broadcasting. */
export const sumLike = defineOp({
  name: 'SumLike',
  doc: 'x summed down to the shape of another tensor, whose values are not used: the opposite of broadcasting.',
  inputs: ['x', 'like'],
  dtypes: [numerics],
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: like.shape }],
  grad: ({ dy, inputs: [x] }): [Tensor, null] => [broadcastLike(dy, x), null],
  body: {
    kind: 'composite',
    build: ([x, like]): Tensor => {
      const lead = x.rank - like.rank
      const axes = x.shape.flatMap((d, i) => (i < lead || (like.shape[i - lead] === 1 && d !== 1) ? [i] : []))
      return axes.length === 0 ? x : reshape(sum(x, { axes, keepDims: true }), { shape: like.shape })
    },
  },
})

const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i] && d !== unknown)

/** `x` summed down to the shape of `like`; x itself when the shapes are the same already. */
export const sumTo = (x: Tensor, like: Tensor): Tensor =>
  sameShape(x.shape, like.shape) ? x : sumLike(x, like)
