// A tensor with some of its slices replaced or changed.
import { fixedSize, numerics } from '../../dtype.ts'
import { DTypeError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { TensorType } from '../../shape.ts'
import { formatShape, mergeShapes } from '../../shape.ts'
import { cast } from '../math/cast.ts'
import { div } from '../math/div.ts'
import { equal } from '../math/equal.ts'
import { mul } from '../math/mul.ts'
import { neg } from '../math/neg.ts'
import { select } from '../math/select.ts'
import { onesLike, zerosLike } from './fill.ts'
import { gatherNd } from './gatherNd.ts'

const attributes = {
  update: attr.oneOf('what happens to the old elements', ['set', 'add', 'sub', 'mul', 'min', 'max']),
}
type Context = GradContext<readonly ['x', 'indices', 'updates'], typeof attributes>

/**
 * x with slices changed: `indices` [...n, depth] name slices x[i0, …, i(depth-1)], `updates` [...n, ...rest of x] change them, in order.
 * Slices named twice are changed twice; for `set` the last one counts. Indices out of range are passed over.
 */
export const tensorScatter = defineOp({
  name: 'TensorScatter',
  doc: 'x with the slices that indices [...n, depth] name set to, or combined with, updates; indices out of range are passed over.',
  inputs: ['x', 'indices', 'updates'],
  dtypes: [fixedSize, ['int32', 'int64'], fixedSize],
  literals: { indices: 'int32' },
  attrs: attributes,
  infer: ([x, indices, updates], { update }) => [scattered(x, indices, updates, update)],
  grad: (context: Context): [Tensor, null, Tensor] => {
    const {
      dy,
      inputs: [, indices, updates],
      attrs: { update },
    } = context
    if (update === 'add') return [dy, null, gatherNd(dy, indices)]
    if (update === 'sub') return [dy, null, neg(gatherNd(dy, indices))]
    if (update === 'set')
      return [tensorScatter(dy, indices, zerosLike(updates), { update }), null, gatherNd(dy, indices)]
    return update === 'mul' ? productGrad(context) : extremeGrad(context)
  },
  body: { kind: 'kernel' },
})

/** The product of all but one factor, right also where factors are zero: zeros are counted and left out of the product. */
function productGrad({ dy, inputs: [x, indices, updates] }: Context): [Tensor, null, Tensor] {
  const isZero = equal(updates, 0)
  const factors = select(isZero, 1, updates)
  const zeros = gatherNd(
    tensorScatter(zerosLike(x), indices, cast(isZero, { to: x.dtype }), { update: 'add' }),
    indices,
  )
  const product = gatherNd(mul(dy, tensorScatter(x, indices, factors, { update: 'mul' })), indices)
  const alone = equal(zeros, cast(isZero, { to: x.dtype }))
  const dx = mul(dy, tensorScatter(onesLike(x), indices, updates, { update: 'mul' }))
  return [dx, null, select(alone, div(product, factors), 0)]
}

/** Where several values tie for an extreme, each gets an even share. */
function extremeGrad({ dy, inputs: [x, indices, updates], outputs: [y] }: Context): [Tensor, null, Tensor] {
  const kept = cast(equal(x, y!), { to: dy.dtype })
  const came = cast(equal(updates, gatherNd(y!, indices)), { to: dy.dtype })
  const share = div(dy, tensorScatter(kept, indices, came, { update: 'add' }))
  return [mul(share, kept), null, mul(gatherNd(share, indices), came)]
}

function scattered(x: TensorType, indices: TensorType, updates: TensorType, update: string): TensorType {
  if (x.dtype !== updates.dtype)
    throw new DTypeError(`x is ${x.dtype} and the updates are ${updates.dtype}: cast them`)
  if (update !== 'set' && !numerics.includes(x.dtype)) throw new DTypeError(`cannot ${update} ${x.dtype}`)
  const depth = indices.shape.at(-1)
  if (typeof depth !== 'number' || depth > x.shape.length)
    throw new ShapeError(
      `indices ${formatShape(indices.shape)} must end in a known depth of at most ${x.shape.length}, the rank of x`,
    )
  mergeShapes(
    updates.shape,
    [...indices.shape.slice(0, -1), ...x.shape.slice(depth)],
    'updates must be [...indices without their last axis, ...rest of x]',
  )
  return x
}
