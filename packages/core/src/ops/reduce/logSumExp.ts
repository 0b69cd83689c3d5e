// The logarithm of a sum of exponentials.
import type { Tensor } from '../../graph/graph.ts'
import { reshapeLike } from '../array/reshape.ts'
import { add } from '../math/add.ts'
import { exp } from '../math/exp.ts'
import { isFinite } from '../math/isFinite.ts'
import { log } from '../math/log.ts'
import { mul } from '../math/mul.ts'
import { select } from '../math/select.ts'
import { sub } from '../math/sub.ts'
import { compositeReduction } from './compositeReduction.ts'
import { keepReduced } from './keepReduced.ts'
import { max } from './max.ts'
import { sum } from './sum.ts'

/** log Σ e^x over axes, all of them by default, without overflow; -Infinity over nothing. */
export const logSumExp = compositeReduction({
  name: 'LogSumExp',
  doc: 'log Σ e^x over axes, all of them by default, without overflow; -Infinity over nothing.',
  build(x, { axes, keepDims }) {
    const shift = orZero(max(x, { axes, keepDims: true }))
    const total = log(sum(exp(sub(x, shift)), { axes, keepDims }))
    return add(total, reshapeLike(shift, total))
  },
  grad: ({ dy, x, y, axes }): Tensor =>
    mul(keepReduced(dy, x, axes), exp(sub(x, orZero(keepReduced(y, x, axes))))),
})

/** Infinity less Infinity is NaN; less 0 it stays what it is. */
const orZero = (x: Tensor): Tensor => select(isFinite(x), x, 0)
