// The derivatives of digamma, from sums that every target can compute.
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'
import { floats } from '../../dtype.ts'
import { mul } from './mul.ts'

/**
 * The derivative of order `order` ≥ 1 of digamma: ψ⁽ⁿ⁾(x) = (-1)^(n+1) n! ζ(n+1, x). Below zero only order 1 is known; others answer NaN.
 * @throws AttrError for an order below 1.
 */
export const polygamma = defineOp({
  name: 'Polygamma',
  doc: 'The derivative of a given order of digamma; below zero only order 1 is known, others answer NaN.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: { order: attr.int('how often digamma is differentiated') },
  infer: ([x], { order }) => {
    if (order < 1) throw new AttrError(`order ${order} is below 1: order 0 is digamma`)
    return [x]
  },
  grad: ({ dy, inputs: [x], attrs: { order } }): [Tensor] => [mul(dy, polygamma(x, { order: order + 1 }))],
  body: {
    kind: 'scalar',
    expr([x], { order }) {
      const num = (value: number): Expr => E.num(value, x.dtype)
      const negative = E.lt(x, num(0))
      if (order > 1)
        return E.select(
          negative,
          num(Number.NaN),
          E.mul(num((-1) ** (order + 1) * factorial(order)), zeta(order + 1, x)),
        )
      // ψ'(x) = π²/sin²(πx) - ψ'(1 - x) (DLMF 5.15.6); the sine of the distance to the nearest whole number keeps its digits.
      const sine = E.sin(E.mul(num(Math.PI), E.sub(x, E.round(x))))
      const positive = zeta(2, E.select(negative, E.sub(num(1), x), x))
      return E.select(negative, E.sub(E.div(num(Math.PI ** 2), E.mul(sine, sine)), positive), positive)
    },
  },
})

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))

// B(2j)/(2j)! for j = 1, 2, …
const bernoulliOverFactorial = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000]

/** ζ(s, x) = Σ 1/(x + k)^s for x > 0: eight terms, and the rest by Euler–Maclaurin summation (DLMF 25.11.9). */
function zeta(s: number, x: Expr): Expr {
  const num = (value: number): Expr => E.num(value, x.dtype)
  const one = num(1)
  const terms = Array.from({ length: 8 }, (_, k) => power(E.div(one, E.add(x, num(k))), s))
  const inverse = E.div(one, E.add(x, num(8)))
  const squared = E.mul(inverse, inverse)
  // Horner's scheme over the corrections, whose factors s(s+1)…(s+2j-2) grow by two each.
  const corrections = bernoulliOverFactorial.map(
    (b, j) => b * Array.from({ length: 2 * j + 1 }, (_, i) => s + i).reduce((p, f) => p * f, 1),
  )
  const series = corrections.reduceRight<Expr>((sum, c) => E.add(E.mul(sum, squared), num(c)), num(0))
  const rest = E.add(num(1 / (s - 1)), E.mul(inverse, E.add(num(0.5), E.mul(inverse, series))))
  return E.add(
    terms.reduce((a, b) => E.add(a, b)),
    E.mul(power(inverse, s - 1), rest),
  )
}

const power = (x: Expr, n: number): Expr => Array.from({ length: n - 1 }).reduce<Expr>((p) => E.mul(p, x), x)
