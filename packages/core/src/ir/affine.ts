// Index expressions as sums: constant + Σ coefficient · atom, where an atom is a loop counter or something opaque.
// Everything is int32 and wraps, so a sum form is equal to its expression modulo 2^32, and exactly where its range fits.
import type { Size } from '../shape.ts'
import type { Expr } from './expr.ts'
import { E } from './expr.ts'
import { int, times } from './view.ts'

/** constant + Σ coefficient · atom, all int32; no coefficient is 0. Atoms are compared by identity, so expressions must be interned. */
export interface Affine {
  readonly constant: number
  readonly terms: ReadonlyMap<Expr, number>
}

/** Least and greatest value, both included. */
export type Range = readonly [number, number]
const everything: Range = [-(2 ** 31), 2 ** 31 - 1]

/** The sum form of an int32 expression; whatever is not a sum of multiples is an atom. */
export function affine(e: Expr): Affine {
  if (e.op === 'const') return { constant: Number(e.value), terms: new Map() }
  if (e.op === 'add' || e.op === 'sub') return plus(affine(e.a), affine(e.b), e.op === 'add' ? 1 : -1)
  if (e.op === 'neg') return plus(nothing, affine(e.x), -1)
  if (e.op === 'mul') {
    const [a, b] = [affine(e.a), affine(e.b)]
    if (a.terms.size === 0) return scaled(b, a.constant)
    if (b.terms.size === 0) return scaled(a, b.constant)
  }
  return { constant: 0, terms: new Map([[e, 1]]) }
}

const nothing: Affine = { constant: 0, terms: new Map() }

function plus(a: Affine, b: Affine, sign: number): Affine {
  const terms = new Map(a.terms)
  for (const [atom, coefficient] of b.terms) {
    const sum = ((terms.get(atom) ?? 0) + sign * coefficient) | 0
    if (sum === 0) terms.delete(atom)
    else terms.set(atom, sum)
  }
  return { constant: (a.constant + sign * b.constant) | 0, terms }
}

const scaled = (a: Affine, factor: number): Affine => ({
  constant: Math.imul(a.constant, factor),
  terms: new Map(
    [...a.terms].flatMap(([atom, coefficient]) => {
      const product = Math.imul(coefficient, factor)
      return product === 0 ? [] : [[atom, product]]
    }),
  ),
})

/** The expression that a sum form stands for. */
export function fromAffine({ constant, terms }: Affine): Expr {
  const parts = [...terms].map(([atom, coefficient]) => times(atom, coefficient))
  if (constant !== 0 || parts.length === 0) parts.push(int(constant))
  return parts.reduce((sum, part) => E.add(sum, part))
}

/** What values an int32 expression can take while the loop counters run over `axes`. */
export function rangeOf(e: Expr, axes: Size): Range {
  switch (e.op) {
    case 'const':
      return [Number(e.value), Number(e.value)]
    case 'axis':
      return [0, Math.max(0, axes[e.axis]! - 1)]
    case 'add':
    case 'sub':
    case 'mul':
    case 'neg':
      return rangeOfAffine(affine(e), axes, e)
    case 'div':
    case 'rem': {
      const [low, high] = rangeOf(e.a, axes)
      if (e.b.op !== 'const' || Number(e.b.value) <= 0 || low < 0) return everything
      const by = Number(e.b.value)
      return e.op === 'div' ? [Math.trunc(low / by), Math.trunc(high / by)] : [0, Math.min(high, by - 1)]
    }
    case 'select': {
      const [a, b] = [rangeOf(e.a, axes), rangeOf(e.b, axes)]
      return [Math.min(a[0], b[0]), Math.max(a[1], b[1])]
    }
    case 'min':
    case 'max': {
      const [a, b] = [rangeOf(e.a, axes), rangeOf(e.b, axes)]
      return [Math[e.op](a[0], b[0]), Math[e.op](a[1], b[1])]
    }
    default:
      return everything
  }
}

/** The range of a sum form. `whole` is the expression itself, so that a product of atoms does not refer to itself. */
export function rangeOfAffine(form: Affine, axes: Size, whole?: Expr): Range {
  let [low, high] = [form.constant, form.constant]
  let largest = Math.abs(form.constant)
  for (const [atom, coefficient] of form.terms) {
    const [a, b] = atom === whole ? everything : rangeOf(atom, axes)
    low += Math.min(a * coefficient, b * coefficient)
    high += Math.max(a * coefficient, b * coefficient)
    largest += Math.max(Math.abs(a), Math.abs(b)) * Math.abs(coefficient)
  }
  // What may overflow wraps, and can then be anything; sums beyond 2^53 are not even known exactly.
  return largest > Number.MAX_SAFE_INTEGER || low < everything[0] || high > everything[1]
    ? everything
    : [low, high]
}

/** e / by and e % by for by > 0, solved as far as the sum form allows; undefined where it does not help. */
export function divideAffine(
  e: Expr,
  by: number,
  axes: Size,
): { readonly quotient: Affine; readonly rest: Affine } | undefined {
  const form = affine(e)
  const quotient = new Map<Expr, number>()
  const rest = new Map<Expr, number>()
  for (const [atom, coefficient] of form.terms) {
    if (coefficient % by === 0) quotient.set(atom, coefficient / by)
    else rest.set(atom, coefficient)
  }
  const whole = Math.floor(form.constant / by)
  const left: Affine = { constant: form.constant - whole * by, terms: rest }
  const [low, high] = rangeOfAffine(left, axes)
  // Truncating division is only the same as this where nothing is negative.
  if (low < 0 || high >= by || rangeOf(e, axes)[0] < 0) return undefined
  return { quotient: { constant: whole, terms: quotient }, rest: left }
}
