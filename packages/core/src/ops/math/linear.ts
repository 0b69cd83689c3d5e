// Sums and mixtures of several tensors.
import { ValueError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { add } from './add.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'

/** The sum of tensors, which broadcast; added in pairs, so that rounding errors grow with the logarithm of their number. */
export function addN(xs: readonly TensorLike[]): Tensor {
  if (xs.length === 0) throw new ValueError('addN: needs at least one tensor')
  if (xs.length === 1) return toTensor(xs[0]!)
  const middle = xs.length >> 1
  return add(addN(xs.slice(0, middle)), addN(xs.slice(middle)))
}

/** a + t · (b - a), element by element, with broadcasting. */
export const lerp = (a: TensorLike, b: TensorLike, t: TensorLike): Tensor => {
  const from = toTensor(a)
  return add(from, mul(sub(b, from), t))
}

/** a · b + c, element by element, with broadcasting. */
export const multiplyAdd = (a: TensorLike, b: TensorLike, c: TensorLike): Tensor => add(mul(a, b), c)
