// Adadelta: steps in the units of the variable, from how far it moved lately.
import { add, div, mul, sqrt, square, sub } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'
import { decayed } from './decayed.ts'

/** How Adadelta averages. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** What remains of the averages after each step, below 1; default 0.95. */
  readonly decay?: number
  /** Added within the roots; decides how it starts. Default 1e-6. */
  readonly epsilon?: number
}

/**
 * squares = decayed(gradient²); step = √(moves + epsilon) / √(squares + epsilon) · gradient; moves = decayed(step²); value - rate · step.
 * Zeiler, 2012, where the rate is 1. @throws AttrError for options out of range; ValueError for some that there are not.
 */
export function adadelta(options: AdadeltaOptions): Optimizer<{ squares: 0; moves: 0 }> {
  const { decay, epsilon, ...shared } = withDefaults('adadelta', options, { decay: 0.95, epsilon: 1e-6 })
  demandRange('adadelta: decay', decay, 0, 1)
  demandRange('adadelta: epsilon', epsilon, Number.MIN_VALUE)
  return new Optimizer(
    {
      name: 'adadelta',
      slots: { squares: 0, moves: 0 },
      update({ value, gradient, slots, rate }) {
        const squares = decayed(slots.squares, square(gradient), decay)
        const scale = div(sqrt(add(slots.moves, epsilon)), sqrt(add(squares, epsilon)))
        const step = mul(scale, gradient)
        return {
          value: sub(value, mul(rate, step)),
          slots: { squares, moves: decayed(slots.moves, square(step), decay) },
        }
      },
    },
    shared,
  )
}
