// What one parameter may be. Every domain maps to the interval from 0 to 1 and back, so that samplers know only that interval.
import { ValueError } from '@shoal/core'

/** A value of one parameter. */
export type Scalar = number | string | boolean

/** Real numbers from `low` to `high`, or every `step` of them. */
export interface FloatDomain {
  readonly kind: 'float'
  readonly low: number
  readonly high: number
  /** Equally likely by their logarithms. */
  readonly log: boolean
  /** The distance of neighbours; 0 where there is none. */
  readonly step: number
}

/** Whole numbers from `low` to `high`, both included: every `step` of them. */
export interface IntDomain {
  readonly kind: 'int'
  readonly low: number
  readonly high: number
  /** Equally likely by their logarithms. */
  readonly log: boolean
  /** The distance of neighbours. */
  readonly step: number
}

/** One of some values without an order. */
export interface CategoricalDomain<C extends Scalar = Scalar> {
  readonly kind: 'categorical'
  readonly choices: readonly C[]
}

/** What one parameter may be. */
export type Domain = FloatDomain | IntDomain | CategoricalDomain

/**
 * Real numbers from `low` to `high`.
 * @param options.log equally likely by their logarithms; `low` is then above 0. Default false.
 * @param options.step only `low`, `low + step`, …; not with `log`. Default 0: all.
 * @throws ValueError for bounds, a step or a combination that makes no sense
 */
export function float(
  low: number,
  high: number,
  options: { readonly log?: boolean; readonly step?: number } = {},
): FloatDomain {
  const { log = false, step = 0 } = options
  demandRange('float', low, high, log)
  if (!(step >= 0 && step <= high - low))
    throw new ValueError(`float: step must be from 0 to high - low = ${high - low}, got ${step}`)
  if (log && step > 0) throw new ValueError('float: log and step exclude each other')
  return { kind: 'float', low, high, log, step }
}

/**
 * Whole numbers from `low` to `high`, both included.
 * @param options.log equally likely by their logarithms; `low` is then at least 1. Default false.
 * @param options.step only `low`, `low + step`, …; not with `log`. Default 1.
 * @throws ValueError for bounds, a step or a combination that makes no sense
 */
export function int(
  low: number,
  high: number,
  options: { readonly log?: boolean; readonly step?: number } = {},
): IntDomain {
  const { log = false, step = 1 } = options
  if (![low, high, step].every(Number.isSafeInteger) || step < 1)
    throw new ValueError(`int: low, high and step must be whole, step from 1: got ${low}, ${high}, ${step}`)
  demandRange('int', low, high, log)
  if (log && step > 1) throw new ValueError('int: log and a step above 1 exclude each other')
  return { kind: 'int', low, high, log, step }
}

/**
 * One of some values without an order.
 * @throws ValueError for no choices, and for one that is there twice
 */
export function categorical<const C extends Scalar>(choices: readonly C[]): CategoricalDomain<C> {
  if (choices.length === 0) throw new ValueError('categorical: give at least one choice')
  if (new Set(choices).size < choices.length)
    throw new ValueError(`categorical: each choice once, got ${choices.join(', ')}`)
  return { kind: 'categorical', choices }
}

function demandRange(kind: string, low: number, high: number, log: boolean): void {
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high)
    throw new ValueError(`${kind}: low must not be above high, and both finite: got ${low}, ${high}`)
  if (log && low <= 0) throw new ValueError(`${kind}: log needs a low above 0, got ${low}`)
}

/** How many values a domain has: Infinity for a stretch of real numbers. */
export function sizeOf(domain: Domain): number {
  if (domain.kind === 'categorical') return domain.choices.length
  if (domain.low === domain.high) return 1
  if (domain.step === 0) return Infinity
  // A hair more, for steps like 0.1 of which binary numbers know no whole multiple.
  return Math.floor((domain.high - domain.low) / domain.step + 1e-9) + 1
}

/** Value `index` of a domain that has a finite size. */
export function valueAt(domain: Domain, index: number): Scalar {
  if (domain.kind === 'categorical') return domain.choices[index]!
  const value = domain.low + index * domain.step
  return domain.kind === 'int' ? value : Number(value.toPrecision(15))
}

/** The value at a number from 0 to 1. Discrete values have a stretch each: of equal length, or by their logarithms. */
export function decode(domain: Domain, unit: number): Scalar {
  const size = sizeOf(domain)
  const u = Math.min(1, Math.max(0, unit))
  if (domain.kind === 'categorical' || size === 1 || (size < Infinity && !domain.log))
    return valueAt(domain, Math.min(size - 1, Math.floor(u * size)))
  const [from, to] = endsOf(domain)
  const x = from + u * (to - from)
  const value = domain.log ? Math.exp(x) : x
  return Math.min(domain.high, Math.max(domain.low, domain.kind === 'int' ? Math.round(value) : value))
}

/** The number from 0 to 1 that a value stands at: the middle of its stretch. */
export function encode(domain: Domain, value: Scalar): number {
  const size = sizeOf(domain)
  if (domain.kind === 'categorical') return (domain.choices.indexOf(value) + 0.5) / size
  if (size === 1) return 0.5
  if (size < Infinity && !domain.log)
    return (Math.round((Number(value) - domain.low) / domain.step) + 0.5) / size
  const [from, to] = endsOf(domain)
  return ((domain.log ? Math.log(Number(value)) : Number(value)) - from) / (to - from)
}

/** The numbers from 0 to 1 that mean the same value as this one: nothing but itself of a stretch of real numbers. */
export function stretchOf(domain: Domain, unit: number): readonly [from: number, to: number] {
  const size = sizeOf(domain)
  if (size === Infinity) return [unit, unit]
  if (domain.kind !== 'categorical' && domain.log && size > 1) {
    const [from, to] = endsOf(domain)
    const value = Number(decode(domain, unit))
    return [(Math.log(value - 0.5) - from) / (to - from), (Math.log(value + 0.5) - from) / (to - from)]
  }
  const index = Math.min(size - 1, Math.floor(unit * size))
  return [index / size, (index + 1) / size]
}

/** Is this a value of the domain? */
export function accepts(domain: Domain, value: unknown): value is Scalar {
  if (domain.kind === 'categorical') return domain.choices.some((choice) => choice === value)
  if (typeof value !== 'number' || !(value >= domain.low && value <= domain.high)) return false
  if (domain.step === 0) return true
  const steps = (value - domain.low) / domain.step
  return Math.abs(steps - Math.round(steps)) < 1e-9
}

/** The ends of what 0 to 1 stands for. Whole numbers on a logarithmic scale reach half a step further, so that the outer ones get their share. */
function endsOf(domain: FloatDomain | IntDomain): readonly [number, number] {
  if (!domain.log) return [domain.low, domain.high]
  const margin = domain.kind === 'int' ? 0.5 : 0
  return [Math.log(domain.low - margin), Math.log(domain.high + margin)]
}
