// Learning rates as functions of the step, made of graph ops, so that they change without a word from the program.
import type { Tensor, TensorLike } from '@shoal/core'
import {
  add,
  AttrError,
  cast,
  clip,
  constant,
  cos,
  div,
  exp,
  floor,
  lessEqual,
  log1p,
  maximum,
  minimum,
  mul,
  pow,
  scope,
  select,
  sub,
  toTensor,
} from '@shoal/core'
import type { Rate, Schedule } from './rate.ts'
import { rateAt } from './rate.ts'
import { demandRange } from './range.ts'

/** A schedule computed in float32 from the step; whole steps are exact up to 2^24. */
const schedule =
  (name: string, rate: (step: Tensor) => Tensor): Schedule =>
  (step: TensorLike) =>
    scope(name, () => rate(cast(toTensor(step, 'int32'), { to: 'float32' })))

function demandSteps(name: string, steps: number): void {
  demandRange(`${name}: steps`, steps, Number.MIN_VALUE)
}

/** Always `rate`. */
export const constantRate = (rate: number): Schedule => schedule('constantRate', () => constant(rate))

/** initial · factor^(step / steps); with `staircase` only whole multiples of `steps` count. @throws AttrError for steps ≤ 0 or a factor ≤ 0. */
export function exponentialDecay(options: {
  readonly initial: number
  readonly steps: number
  readonly factor: number
  readonly staircase?: boolean
}): Schedule {
  const { initial, steps, factor, staircase = false } = options
  demandSteps('exponentialDecay', steps)
  demandRange('exponentialDecay: factor', factor, Number.MIN_VALUE)
  return schedule('exponentialDecay', (step) => {
    const periods = div(step, steps)
    return mul(exp(mul(staircase ? floor(periods) : periods, Math.log(factor))), initial)
  })
}

/** initial / (1 + factor · step / steps); with `staircase` only whole multiples of `steps` count. @throws AttrError for steps ≤ 0 or a factor < 0. */
export function inverseTimeDecay(options: {
  readonly initial: number
  readonly steps: number
  readonly factor: number
  readonly staircase?: boolean
}): Schedule {
  const { initial, steps, factor, staircase = false } = options
  demandSteps('inverseTimeDecay', steps)
  demandRange('inverseTimeDecay: factor', factor, 0)
  return schedule('inverseTimeDecay', (step) => {
    const periods = div(step, steps)
    return div(initial, add(mul(staircase ? floor(periods) : periods, factor), 1))
  })
}

/** values[i] while step ≤ boundaries[i], and the last value after all of them. @throws AttrError unless boundaries grow and there is one value more. */
export function piecewiseConstant(options: {
  readonly boundaries: readonly number[]
  readonly values: readonly number[]
}): Schedule {
  const { boundaries, values } = options
  if (values.length !== boundaries.length + 1)
    throw new AttrError(
      `piecewiseConstant: ${boundaries.length} boundaries need ${boundaries.length + 1} values, got ${values.length}`,
    )
  if (boundaries.some((b, i) => i > 0 && !(b > boundaries[i - 1]!)))
    throw new AttrError(`piecewiseConstant: boundaries ${boundaries.join(', ')} do not grow`)
  return schedule('piecewiseConstant', (step) =>
    boundaries.reduceRight(
      (rest, boundary, i) => select(lessEqual(step, boundary), values[i]!, rest),
      constant(values.at(-1)!),
    ),
  )
}

/**
 * From `initial` to `end` (default 0.0001) within `steps`: (initial - end) · (1 - step / steps)^power + end; power defaults to 1.
 * With `cycle` the length grows to the next multiple of `steps` whenever it is reached. @throws AttrError for steps ≤ 0 or a power ≤ 0.
 */
export function polynomialDecay(options: {
  readonly initial: number
  readonly steps: number
  readonly end?: number
  readonly power?: number
  readonly cycle?: boolean
}): Schedule {
  const { initial, steps, end = 0.0001, power = 1, cycle = false } = options
  demandSteps('polynomialDecay', steps)
  demandRange('polynomialDecay: power', power, Number.MIN_VALUE)
  return schedule('polynomialDecay', (step) => {
    const periods = div(step, steps)
    // Rounding up, but at step 0 the first period has begun.
    const progress = cycle ? div(periods, maximum(mul(floor(mul(periods, -1)), -1), 1)) : minimum(periods, 1)
    return add(mul(pow(sub(1, progress), power), initial - end), end)
  })
}

/** Half a cosine from `initial` to `floor` · initial (default 0) within `steps`, and that from then on. Loshchilov and Hutter, 2016. @throws AttrError for steps ≤ 0. */
export function cosineDecay(options: {
  readonly initial: number
  readonly steps: number
  readonly floor?: number
}): Schedule {
  const { initial, steps, floor: least = 0 } = options
  demandSteps('cosineDecay', steps)
  return schedule('cosineDecay', (step) => mul(halfCosine(minimum(div(step, steps), 1), least), initial))
}

/**
 * Cosines one after the other: the first lasts `steps`, each next one `lengthen` (2) times as long and starts at `lower` (1) times the height.
 * Each falls to `floor` (0) times its own height. SGDR, Loshchilov and Hutter, 2016. @throws AttrError for steps ≤ 0 or lengthen < 1.
 */
export function cosineDecayRestarts(options: {
  readonly initial: number
  readonly steps: number
  readonly lengthen?: number
  readonly lower?: number
  readonly floor?: number
}): Schedule {
  const { initial, steps, lengthen = 2, lower = 1, floor: least = 0 } = options
  demandSteps('cosineDecayRestarts', steps)
  demandRange('cosineDecayRestarts: lengthen', lengthen, 1)
  demandRange('cosineDecayRestarts: lower', lower, Number.MIN_VALUE)
  return schedule('cosineDecayRestarts', (step) => {
    const periods = div(step, steps)
    const [restart, progress] = lengthen === 1 ? equalPeriods(periods) : growingPeriods(periods, lengthen)
    return mul(mul(exp(mul(restart, Math.log(lower))), halfCosine(progress, least)), initial)
  })
}

function equalPeriods(periods: Tensor): [restart: Tensor, progress: Tensor] {
  const restart = floor(periods)
  return [restart, sub(periods, restart)]
}

/** Period i begins after (g^i - 1) / (g - 1) first periods, where g is the growth, and lasts g^i of them. */
function growingPeriods(periods: Tensor, growth: number): [restart: Tensor, progress: Tensor] {
  // A little is added, for at the very start of a period the logarithm may round to just below a whole number.
  const restart = floor(add(div(log1p(mul(periods, growth - 1)), Math.log(growth)), 1e-6))
  const length = exp(mul(restart, Math.log(growth)))
  const begin = div(sub(length, 1), growth - 1)
  return [restart, clip(div(sub(periods, begin), length), { min: 0, max: 1 })]
}

/** 1 at progress 0, `least` at progress 1. */
const halfCosine = (progress: Tensor, least: number): Tensor =>
  add(mul(add(cos(mul(progress, Math.PI)), 1), (1 - least) / 2), least)

/**
 * Rises in a line from `from` (0) times the rate to the rate within `steps`; then `rate`, if it is a schedule, begins at its step 0.
 * @throws AttrError for steps ≤ 0.
 */
export function linearWarmup(
  rate: Rate,
  options: { readonly steps: number; readonly from?: number },
): Schedule {
  const { steps, from = 0 } = options
  demandSteps('linearWarmup', steps)
  return schedule('linearWarmup', (step) => {
    const later = cast(maximum(sub(step, steps), 0), { to: 'int32' })
    const share = add(mul(minimum(div(step, steps), 1), 1 - from), from)
    return mul(rateAt(rate, later, 'float32'), share)
  })
}

/**
 * scale · modelSize^-0.5 · min(n^-0.5, n · warmup^-1.5) with n = step + 1: a linear rise, then the inverse square root. Vaswani et al., 2017.
 * @throws AttrError for a size or warmup ≤ 0.
 */
export function noam(options: {
  readonly modelSize: number
  readonly warmup: number
  readonly scale?: number
}): Schedule {
  const { modelSize, warmup, scale = 1 } = options
  demandRange('noam: modelSize', modelSize, Number.MIN_VALUE)
  demandRange('noam: warmup', warmup, Number.MIN_VALUE)
  return schedule('noam', (step) => {
    const n = add(step, 1)
    return mul(minimum(pow(n, -0.5), mul(n, warmup ** -1.5)), scale * modelSize ** -0.5)
  })
}
