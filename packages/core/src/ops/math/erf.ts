// The error function.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { exp } from './exp.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { square } from './square.ts'

/** 2/√π ∫₀ˣ e^(-t²) dt. */
export const erf = unary({
  name: 'Erf',
  doc: '2/√π ∫₀ˣ e^(-t²) dt.',
  traits: { monotone: 'increasing' },
  expr: E.erf,
  grad: ({ dy, x }): Tensor => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
})
