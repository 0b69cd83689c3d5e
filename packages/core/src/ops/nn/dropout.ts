// Noise against overfitting.
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'
import { less } from '../math/less.ts'
import { mul } from '../math/mul.ts'
import { select } from '../math/select.ts'
import { randomBitsLike } from '../random/randomBits.ts'
import { randomKey } from '../random/randomKey.ts'

/**
 * x with each element set to 0 with probability `rate`, the others divided by 1 - rate so that the expectation stays. For training only. Srivastava et al., 2014.
 * @param options.rate at least 0 and below 1.
 * @param options.seed streams with one seed drop the same elements; left out: each has its own.
 * @param options.key a key to draw from, instead of a new one in every run.
 * @throws AttrError
 */
export function dropout(
  x: TensorLike,
  { rate, seed, key }: { readonly rate: number; readonly seed?: number; readonly key?: TensorLike },
): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new AttrError(`dropout: rate ${rate} must be at least 0 and below 1`)
  const t = toTensor(x)
  if (rate === 0) return t
  return scope('dropout', () => {
    const bits = randomBitsLike(key === undefined ? randomKey({ seed }) : toTensor(key, 'uint32'), t)
    const kept = less(bits, constant(Math.min(Math.round((1 - rate) * 2 ** 32), 2 ** 32 - 1), 'uint32'))
    return select(kept, mul(t, 1 / (1 - rate)), 0)
  })
}
