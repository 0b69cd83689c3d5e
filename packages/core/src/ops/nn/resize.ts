// Resizing of images: a view for the nearest pixel, a mix of such views for bilinear interpolation; back, a matrix product per axis.
import type { AttrsOf } from '../../attr.ts'
import { floats, numerics } from '../../dtype.ts'
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import { NDArray } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'
import type { Shape, Size } from '../../shape.ts'
import { formatShape, sizeOf } from '../../shape.ts'
import { reshape } from '../array/reshape.ts'
import { constant } from '../constant.ts'
import { matmul } from '../linalg/matmul.ts'
import { add } from '../math/add.ts'
import { mul } from '../math/mul.ts'
import { sub } from '../math/sub.ts'
import type { Grid } from './sampling.ts'
import { positionOf, sampling } from './sampling.ts'

const gridAttrs = {
  alignCorners: attr.bool('the centres of the corner pixels stay in place', false),
  halfPixelCenters: attr.bool(
    'pixels are squares whose centres are at half coordinates, as image tools do',
    false,
  ),
}
const attrs = { size: attr.ints('height and width of the result'), ...gridAttrs }
const backAttrs = { method: attr.oneOf('how it was resized', ['bilinear', 'nearest']), ...gridAttrs }

/** Each pixel of the result is the nearest pixel of x [batch, height, width, channels]. */
export const resizeNearest = defineOp({
  name: 'ResizeNearest',
  doc: 'Each pixel of the result is the nearest pixel of x [batch, height, width, channels].',
  inputs: ['x'],
  dtypes: [numerics],
  attrs,
  infer: ([x], given) => [{ dtype: x.dtype, shape: resizedShape(x.shape, given) }],
  grad: ({ dy, inputs: [x], attrs: { size: _, ...grid } }): [Tensor] => [
    resizeBack(dy, x, { method: 'nearest', ...grid }),
  ],
  body: {
    kind: 'view',
    map: ([n, y, x, c], input, given, output) => {
      const nearest = (at: Expr, axis: number): Expr =>
        sampling('nearest', at, input.shape[axis]!, output.shape[axis]!, given).low
      return { index: [n!, nearest(y!, 1), nearest(x!, 2), c!] }
    },
  },
})

/** Each pixel of the result is a mix of the four pixels of x [batch, height, width, channels] around its place. */
export const resizeBilinear = defineOp({
  name: 'ResizeBilinear',
  doc: 'Each pixel of the result is a mix of the four pixels of x [batch, height, width, channels] around its place.',
  inputs: ['x'],
  dtypes: [floats],
  attrs,
  infer: ([x], given) => [{ dtype: x.dtype, shape: resizedShape(x.shape, given) }],
  grad: ({ dy, inputs: [x], attrs: { size: _, ...grid } }): [Tensor] => [
    resizeBack(dy, x, { method: 'bilinear', ...grid }),
  ],
  body: {
    kind: 'composite',
    build: ([x], { size, ...grid }): Tensor => {
      const along = (image: Tensor, axis: 1 | 2): Tensor => {
        const [from, to] = [image.shape[axis] as number, size[axis - 1]!]
        const low = neighbour(image, { axis, size: to, side: 'low', ...grid })
        const high = neighbour(image, { axis, size: to, side: 'high', ...grid })
        const shape = [to, ...new Array<number>(3 - axis).fill(1)]
        const share = shareOfHigh({ shape, from, dtype: x.dtype, ...grid })
        return add(low, mul(sub(high, low), share))
      }
      return along(along(x, 1), 2)
    },
  },
})

/** x with each index along one axis replaced by a neighbour of its place in the source. */
const neighbour = defineOp({
  name: 'ResizeNeighbour',
  doc: 'The pixels of x on one side of the places along an axis that the pixels of a resized image come from.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: {
    axis: attr.int('the axis'),
    size: attr.int('its new size'),
    side: attr.oneOf('which neighbour', ['low', 'high']),
    ...gridAttrs,
  },
  infer: ([x], { axis, size }) => [{ dtype: x.dtype, shape: x.shape.with(axis, size) }],
  body: {
    kind: 'view',
    map: (at, input, { axis, size, side, ...grid }) => ({
      index: at.map((i, a) =>
        a === axis ? sampling('bilinear', i, input.shape[axis]!, size, grid)[side] : i,
      ),
    }),
  },
})

/** How much of the high neighbour is in each pixel along the first axis of `shape`. */
const shareOfHigh = defineOp({
  name: 'ResizeShare',
  doc: 'How much of the high neighbour is in each pixel of a resized axis.',
  inputs: [],
  attrs: {
    shape: attr.shape('[size, 1, ...]'),
    from: attr.int('the size before'),
    dtype: attr.dtype('the dtype'),
    ...gridAttrs,
  },
  infer: (_, { shape, dtype }) => [{ dtype, shape }],
  body: {
    kind: 'scalar',
    expr: (_, { from, ...grid }, { at, output }) => {
      const { share, unit } = sampling('bilinear', at[0]!, from, output.shape[0]!, grid)
      return E.div(E.cast(share, output.dtype), E.num(unit, output.dtype))
    },
  },
})
/** The definitions behind `resizeBilinear`, for lists of ops. */
export const resizeParts = [{ def: neighbour.def }, { def: shareOfHigh.def }]

/** What flows back through resizing: each pixel of x given to those that it was mixed of, in the shape of `like`, whose values are not used. */
export const resizeBack = defineOp({
  name: 'ResizeBack',
  doc: 'What flows back through resizing: each pixel given to those that it was mixed of, in the shape of another tensor, whose values are not used.',
  inputs: ['x', 'like'],
  dtypes: [numerics],
  attrs: backAttrs,
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: like.shape }],
  grad: ({ dy, inputs: [x], attrs: { method, ...grid } }): [Tensor, null] => [
    resizeAs(dy, x.shape.slice(1, 3), method, grid),
    null,
  ],
  body: {
    kind: 'composite',
    build: ([x, like], { method, ...grid }): Tensor => {
      const [batch, height, width, channels] = like.shape as [number, number, number, number]
      const [, tall, wide] = x.shape as [number, number, number, number]
      const rows = matmul(
        mixing(x, method, height, tall, grid),
        reshape(x, { shape: [batch, tall, wide * channels] }),
      )
      const columns = matmul(
        mixing(x, method, width, wide, grid),
        reshape(rows, { shape: [batch * height, wide, channels] }),
      )
      return reshape(columns, { shape: [batch, height, width, channels] })
    },
  },
})

function resizeAs(x: Tensor, size: Shape, method: 'bilinear' | 'nearest', grid: Grid): Tensor {
  if (size.some((d) => typeof d !== 'number'))
    throw new ShapeError(`resized sizes ${formatShape(size)} must be known`)
  return (method === 'bilinear' ? resizeBilinear : resizeNearest)(x, { size: size as Size, ...grid })
}

/** The matrix [from, to] of how much of each source pixel is in each pixel of the result. */
function mixing(x: Tensor, method: 'bilinear' | 'nearest', from: number, to: number, grid: Grid): Tensor {
  const shares = new Float64Array(sizeOf([from, to]))
  for (let i = 0; i < to; i++) {
    const { low, high, share } = positionOf(method, i, from, to, grid)
    shares[low * to + i]! += 1 - share
    shares[high * to + i]! += share
  }
  return constant(new NDArray('float64', [from, to], shares), x.dtype)
}

function resizedShape(x: Shape, { size, alignCorners, halfPixelCenters }: AttrsOf<typeof attrs>): Shape {
  if (x.length !== 4) throw new ShapeError(`x ${formatShape(x)} must be [batch, height, width, channels]`)
  if (size.length !== 2 || size.some((n) => n < 1))
    throw new AttrError(`size [${size}] must be two positive numbers, height and width`)
  if (alignCorners && halfPixelCenters)
    throw new AttrError('alignCorners and halfPixelCenters exclude each other')
  return [x[0]!, ...size, x[3]!]
}
