// Running sums, products and extremes along an axis.
import { floats, numerics } from '../../dtype.ts'
import { DTypeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { AttrArgs } from '../../attr.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis } from '../../shape.ts'
import { zerosLike } from '../array/fill.ts'
import { putAlongAxis } from '../array/alongAxis.ts'
import type { TensorLike } from '../constant.ts'
import { add } from '../math/add.ts'
import { cast } from '../math/cast.ts'
import { div } from '../math/div.ts'
import { equal } from '../math/equal.ts'
import { exp } from '../math/exp.ts'
import { greater } from '../math/greater.ts'
import { log } from '../math/log.ts'
import { mul } from '../math/mul.ts'
import { neg } from '../math/neg.ts'
import { select } from '../math/select.ts'
import { sub } from '../math/sub.ts'
import { indexLike } from '../array/indexLike.ts'

const attributes = {
  axis: attr.int('the axis to run along, negative counted from the end', 0),
  combine: attr.oneOf('how elements are joined', ['sum', 'prod', 'max', 'min', 'logSumExp']),
  exclusive: attr.bool('leave out the element itself: the first result is the value over nothing', false),
  reverse: attr.bool('run from the end to the beginning', false),
}
type Context = GradContext<readonly ['x'], typeof attributes>

/** Each element joined with all before it along an axis. */
export const cumulative = defineOp({
  name: 'Cumulative',
  doc: 'Each element joined with all before it along an axis: running sums, products, extremes or log-sum-exps.',
  inputs: ['x'],
  dtypes: [numerics],
  attrs: attributes,
  infer: ([x], { axis, combine }) => {
    normalizeAxis(axis, x.shape.length)
    if (combine === 'logSumExp' && !floats.includes(x.dtype))
      throw new DTypeError(`logSumExp needs floats, not ${x.dtype}: cast it`)
    return [x]
  },
  grad: (context: Context): [Tensor] => [rules[context.attrs.combine](context)],
  body: { kind: 'kernel' },
})

const back = (x: Tensor, { attrs }: Context, combine: 'sum' | 'logSumExp'): Tensor =>
  cumulative(x, { ...attrs, combine, reverse: !attrs.reverse })

const rules: Readonly<Record<Context['attrs']['combine'], (context: Context) => Tensor>> = {
  sum: (context) => back(context.dy, context, 'sum'),
  prod: productRule,
  max: extremeRule,
  min: extremeRule,
  // Σ dy e^(x - y), for positive and negative dy by themselves so that both stay logarithms.
  logSumExp: (context) => {
    const {
      dy,
      inputs: [x],
      outputs: [y],
    } = context
    const part = (signed: Tensor): Tensor => {
      const positive = greater(signed, 0)
      const logarithm = select(positive, sub(log(select(positive, signed, 1)), y!), -1e30)
      return exp(add(back(logarithm, context, 'logSumExp'), x))
    }
    return sub(part(dy), part(neg(dy)))
  },
}

/**
 * Σ dy · (product without x). Where x is not 0 that is the product divided by x, if no factor is 0; where x is 0 it is the product of the
 * other factors, if x is the only zero among them.
 */
function productRule(context: Context): Tensor {
  const {
    dy,
    inputs: [x],
    attrs,
  } = context
  const isZero = equal(x, 0)
  const factors = select(isZero, 1, x)
  const zeros = cumulative(cast(isZero, { to: 'int32' }), { ...attrs, combine: 'sum' })
  const terms = mul(dy, cumulative(factors, attrs))
  const from = (count: number): Tensor => back(select(equal(zeros, count), terms, 0), context, 'sum')
  return select(isZero, from(1), div(from(0), factors))
}

/** Each result goes back to the last element that reached the extreme. */
function extremeRule({ dy, inputs: [x], attrs }: Context): Tensor {
  const { axis, reverse, exclusive } = attrs
  const reached = equal(x, cumulative(x, { ...attrs, exclusive: false }))
  const index = indexLike(x, { axis })
  const last = cumulative(select(reached, index, reverse ? 2 ** 31 - 1 : -1), {
    axis,
    reverse,
    exclusive,
    combine: reverse ? 'min' : 'max',
  })
  return putAlongAxis(zerosLike(x), last, dy, { axis, update: 'add' })
}

type Options = Omit<AttrArgs<typeof attributes>, 'combine'>
/** Running sums of x along an axis (default the first). */
export const cumSum = (x: TensorLike, options: Options = {}): Tensor =>
  cumulative(x, { ...options, combine: 'sum' })
/** Running products of x along an axis (default the first). */
export const cumProd = (x: TensorLike, options: Options = {}): Tensor =>
  cumulative(x, { ...options, combine: 'prod' })
/** Running maxima of x along an axis (default the first). */
export const cumMax = (x: TensorLike, options: Options = {}): Tensor =>
  cumulative(x, { ...options, combine: 'max' })
/** Running minima of x along an axis (default the first). */
export const cumMin = (x: TensorLike, options: Options = {}): Tensor =>
  cumulative(x, { ...options, combine: 'min' })
/** Running log Σ e^x along an axis (default the first), without overflow. */
export const cumulativeLogSumExp = (x: TensorLike, options: Options = {}): Tensor =>
  cumulative(x, { ...options, combine: 'logSumExp' })
