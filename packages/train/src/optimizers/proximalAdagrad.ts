// Proximal Adagrad: Adagrad with penalties on size, applied exactly after each step, so that weights become zero.
import { abs, add, div, maximum, mul, sign, sqrt, square, sub } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'

/** How Adagrad starts and what it penalises. */
export interface ProximalAdagradOptions extends OptimizerOptions {
  /** Where the sums of squares start, above 0; default 0.1. */
  readonly initialAccumulator?: number
  /** Penalty on |value|; default 0. */
  readonly l1?: number
  /** Penalty on value² / 2; default 0. */
  readonly l2?: number
}

/**
 * squares = squares + gradient²; r = rate / √squares; p = value - r · gradient; sign(p) · max(|p| - r · l1, 0) / (1 + r · l2).
 * Duchi and Singer, 2009 (FOBOS), with the rates of Adagrad. @throws AttrError for options out of range; ValueError for some that there are not.
 */
export function proximalAdagrad(options: ProximalAdagradOptions): Optimizer<{ squares: number }> {
  const { initialAccumulator, l1, l2, ...shared } = withDefaults('proximalAdagrad', options, {
    initialAccumulator: 0.1,
    l1: 0,
    l2: 0,
  })
  demandRange('proximalAdagrad: initialAccumulator', initialAccumulator, Number.MIN_VALUE)
  demandRange('proximalAdagrad: l1', l1, 0)
  demandRange('proximalAdagrad: l2', l2, 0)
  return new Optimizer(
    {
      name: 'proximalAdagrad',
      slots: { squares: initialAccumulator },
      update({ value, gradient, slots, rate }) {
        const squares = add(slots.squares, square(gradient))
        const own = div(rate, sqrt(squares))
        const moved = sub(value, mul(own, gradient))
        const shrunk = mul(sign(moved), maximum(sub(abs(moved), mul(own, l1)), 0))
        return { value: div(shrunk, add(mul(own, l2), 1)), slots: { squares } }
      },
    },
    shared,
  )
}
