// The options of a function, checked where they come in: programs in plain JavaScript have nobody else to tell them of a slip.
import { ValueError } from './errors.ts'

/** What an option may be. */
export interface OptionRule {
  /** In words that follow on 'must be'. */
  readonly wanted: string
  accepts(value: unknown): boolean
}

/** A rule for each option of O. */
export type OptionRules<O> = { readonly [K in keyof O]-?: OptionRule }

const rule = (wanted: string, accepts: (value: unknown) => boolean): OptionRule => ({ wanted, accepts })

/** Rules that options often have. */
export const optionRules = {
  /** Anything: somebody else checks it. */
  any: rule('anything', () => true),
  boolean: rule('true or false', (value) => typeof value === 'boolean'),
  function: rule('a function', (value) => typeof value === 'function'),
  /** A string that is not empty. */
  text: rule('a string that is not empty', (value) => typeof value === 'string' && value !== ''),
  /** A number that is no NaN, and not less than `least`. */
  from: (least: number): OptionRule =>
    rule(`a number from ${least}`, (value) => typeof value === 'number' && value >= least),
  /** A whole number, not less than `least`, which has no bound by default. */
  whole: (least?: number): OptionRule =>
    rule(
      least === undefined ? 'a whole number' : `a whole number from ${least}`,
      (value) => Number.isSafeInteger(value) && (value as number) >= (least ?? -Infinity),
    ),
  /** A list of what a test accepts, which `wanted` calls 'a list of …'. */
  list: (wanted: string, accepts: (value: unknown) => boolean): OptionRule =>
    rule(wanted, (value) => Array.isArray(value) && value.every(accepts)),
} as const

/**
 * Checks the options that a function was given, each that is not undefined.
 * @param name what takes them, for messages: `Session`.
 * @param rules a rule for each option that there is.
 * @throws ValueError naming the options that there are, for something that is no object and for an option that there is not; or naming
 * the option, what was given and what is wanted.
 */
export function checkOptions<O extends object>(name: string, given: O, rules: OptionRules<O>): void {
  const takes = (): string => `${name} takes an object of options: ${Object.keys(rules).join(', ')}`
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new ValueError(`${takes()}; it was given ${sayValue(given)}`)
  const unknown = Object.keys(given).filter((option) => !Object.hasOwn(rules, option))
  if (unknown.length > 0)
    throw new ValueError(`${takes()}; there is no ${unknown.map((option) => `'${option}'`).join(', no ')}`)
  for (const [option, value] of Object.entries(given)) {
    const { wanted, accepts } = rules[option as keyof O]
    if (value === undefined || accepts(value)) continue
    throw new ValueError(`${name}: ${option} must be ${wanted}, got ${sayValue(value)}`)
  }
}

const mostItems = 4
const mostLetters = 60

/** A value in a few words, for messages that refuse it: `'two'`, `the function cpu, which was not called`. */
export function sayValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > mostLetters ? `'${value.slice(0, mostLetters)}…'` : `'${value}'`
    case 'function':
      return `the function ${value.name || 'without a name'}, which was not called`
    case 'object':
      return value === null ? 'null' : sayObject(value)
    default:
      return String(value)
  }
}

function sayObject(value: object): string {
  if (value instanceof Promise) return 'a promise, which was not awaited'
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    const shown = items.slice(0, mostItems).map(sayValue)
    return `[${[...shown, ...(items.length > mostItems ? ['…'] : [])].join('; ')}]`
  }
  const prototype = Object.getPrototypeOf(value) as {
    readonly constructor?: { readonly name?: string }
  } | null
  const kind = prototype === Object.prototype ? undefined : prototype?.constructor?.name
  return kind ? `an object of class ${kind}` : 'an object'
}
