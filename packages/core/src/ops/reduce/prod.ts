// Products over axes.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { reshape, reshapeLike } from '../array/reshape.ts'
import { transpose } from '../array/transpose.ts'
import { mul } from '../math/mul.ts'
import { cumulative } from './cumulative.ts'
import { keepReduced } from './keepReduced.ts'
import { reduction } from './reduction.ts'

/** The product of x over axes, all of them by default; 1 over nothing. */
export const prod = reduction({
  name: 'Prod',
  doc: 'The product of x over axes, all of them by default; 1 over nothing.',
  dtypes: numerics,
  combine: 'prod',
  grad: ({ dy, x, axes }): Tensor => mul(keepReduced(dy, x, axes), productOfOthers(x, axes)),
})

/** For each element the product of all others over `axes`, right also where some are zero: what comes before it times what comes after. */
function productOfOthers(x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const order = [...kept, ...axes]
  const moved = transpose(x, { order })
  const flat = reshape(moved, { shape: [...kept.map((i) => x.shape[i]!), -1] })
  const options = { axis: -1, combine: 'prod', exclusive: true } as const
  const others = mul(cumulative(flat, options), cumulative(flat, { ...options, reverse: true }))
  return transpose(reshapeLike(others, moved), { order: order.map((_, i) => order.indexOf(i)) })
}
