// FTRL-Proximal: the weights that were best for all gradients so far, many of them exactly zero.
import { abs, add, div, greater, mul, pow, select, sign, sqrt, square, sub } from '@shoal/core'
import type { Tensor } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'

/** How FTRL starts and what it penalises. */
export interface FtrlOptions extends OptimizerOptions {
  /** The power of the sum of squares that rates fall with, at most 0; default -0.5. */
  readonly power?: number
  /** Where the sums of squares start, above 0; default 0.1. */
  readonly initialAccumulator?: number
  /** Penalty on |value|; default 0. */
  readonly l1?: number
  /** Penalty on value²; default 0. */
  readonly l2?: number
}

/**
 * With s = squares^-power before and after adding gradient²: linear = linear + gradient - (s' - s) / rate · value, and the new value is
 * (sign(linear) · l1 - linear) / (s' / rate + 2 · l2) where |linear| > l1, else 0. McMahan et al., 2013.
 * @throws AttrError for options out of range; ValueError for some that there are not.
 */
export function ftrl(options: FtrlOptions): Optimizer<{ squares: number; linear: 0 }> {
  const { power, initialAccumulator, l1, l2, ...shared } = withDefaults('ftrl', options, {
    power: -0.5,
    initialAccumulator: 0.1,
    l1: 0,
    l2: 0,
  })
  demandRange('ftrl: minus the power', -power, 0)
  demandRange('ftrl: initialAccumulator', initialAccumulator, Number.MIN_VALUE)
  demandRange('ftrl: l1', l1, 0)
  demandRange('ftrl: l2', l2, 0)
  const slowness = (squares: Tensor): Tensor => (power === -0.5 ? sqrt(squares) : pow(squares, -power))
  return new Optimizer(
    {
      name: 'ftrl',
      slots: { squares: initialAccumulator, linear: 0 },
      update({ value, gradient, slots, rate }) {
        const squares = add(slots.squares, square(gradient))
        const [before, after] = [slowness(slots.squares), slowness(squares)]
        const linear = add(slots.linear, sub(gradient, mul(div(sub(after, before), rate), value)))
        const best = div(sub(mul(sign(linear), l1), linear), add(div(after, rate), 2 * l2))
        return { value: select(greater(abs(linear), l1), best, 0), slots: { squares, linear } }
      },
    },
    shared,
  )
}
