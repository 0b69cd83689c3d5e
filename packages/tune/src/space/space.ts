// A search space as its user writes it, nested and typed, and as samplers see it: a flat list of parameters, some of which depend on others.
import { ValueError } from '@shoal/core'
import type { CategoricalDomain, Domain, FloatDomain, IntDomain, Scalar } from './domain.ts'
import { accepts, categorical, decode, encode } from './domain.ts'

/** One of several spaces: what a parameter is searched in depends on which is taken. */
export interface Branch<O extends Readonly<Record<string, Space>> = Readonly<Record<string, Space>>> {
  readonly kind: 'branch'
  readonly options: O
}

/** Parameters by name: domains, and branches with spaces of their own. */
export interface Space {
  readonly [name: string]: Domain | Branch<Readonly<Record<string, Space>>>
}

type ParamOf<E> = E extends FloatDomain | IntDomain
  ? number
  : E extends CategoricalDomain<infer C>
    ? C
    : E extends Branch<infer O>
      ? { readonly [K in keyof O]: { readonly choice: K } & ParamsOf<O[K]> }[keyof O]
      : never

/** The parameters of a trial in a space. A branch gives its `choice` and the parameters of that choice, as a union to be told apart. */
export type ParamsOf<S> = { readonly [K in keyof S]: ParamOf<S[K]> }

/**
 * One of several spaces: `branch({ sgd: { momentum: float(0, 1) }, adam: {} })` gives `{ choice: 'sgd', momentum }` or `{ choice: 'adam' }`.
 * @throws ValueError for no options, and for a parameter called `choice`
 */
export function branch<const O extends Readonly<Record<string, Space>>>(options: O): Branch<O> {
  if (Object.keys(options).length === 0) throw new ValueError('branch: give at least one option')
  for (const [name, space] of Object.entries(options))
    if ('choice' in space)
      throw new ValueError(
        `branch: a parameter of '${name}' is called choice, as what was taken is: rename it`,
      )
  return { kind: 'branch', options }
}

/** One parameter of a space, as samplers see it. */
export interface Parameter {
  /** Its name; within a branch `branch.option.name`. */
  readonly path: string
  readonly domain: Domain
  /** There only while the parameter at this path has this value. */
  readonly when?: { readonly path: string; readonly is: Scalar }
}

/** The values of a trial's parameters, by their paths; those that its branches leave out are missing. */
export type Values = Readonly<Record<string, Scalar>>

/**
 * The parameters of a space, each after those that it depends on.
 * @throws ValueError for a name with a dot, and for an empty space
 */
export function parametersOf(space: Space): readonly Parameter[] {
  const parameters = listed(space, '', undefined)
  if (parameters.length === 0) throw new ValueError('a search space needs at least one parameter')
  return parameters
}

function listed(space: Space, before: string, when: Parameter['when']): Parameter[] {
  return Object.entries(space).flatMap(([name, entry]) => {
    if (name.includes('.')) throw new ValueError(`the parameter '${name}' has a dot in its name: rename it`)
    const path = `${before}${name}`
    const condition = when && { when }
    if (entry.kind !== 'branch') return [{ path, domain: entry, ...condition }]
    const options = Object.entries(entry.options)
    const own = { path, domain: categorical(options.map(([option]) => option)), ...condition }
    const inner = options.map(([is, part]) => listed(part, `${path}.${is}.`, { path, is }))
    return [own, ...inner.flat()]
  })
}

/** Is the parameter there, with these values of those before it? */
export const isActive = ({ when }: Parameter, values: Values): boolean =>
  when === undefined || values[when.path] === when.is

/** Values from one number in 0 to 1 for each parameter that is there. `unit` is asked in the order of the parameters. */
export function decodeAll(parameters: readonly Parameter[], unit: (at: number) => number): Values {
  const values: Record<string, Scalar> = {}
  parameters.forEach((parameter, i) => {
    if (isActive(parameter, values)) values[parameter.path] = decode(parameter.domain, unit(i))
  })
  return values
}

/** A number from 0 to 1 for each parameter, undefined for one that is not there. */
export const encodeAll = (
  parameters: readonly Parameter[],
  values: Values,
): readonly (number | undefined)[] =>
  parameters.map(({ path, domain }) => {
    const value = values[path]
    return value === undefined ? undefined : encode(domain, value)
  })

/** The values as the space is written. */
export function toParams<S extends Space>(space: S, values: Values): ParamsOf<S> {
  const structured = (part: Space, before: string): object =>
    Object.fromEntries(
      Object.entries(part).map(([name, entry]) => {
        const path = `${before}${name}`
        const value = values[path]!
        if (entry.kind !== 'branch') return [name, value]
        const option = String(value)
        return [name, { choice: option, ...structured(entry.options[option]!, `${path}.${option}.`) }]
      }),
    )
  return structured(space, '') as ParamsOf<S>
}

/**
 * The values of parameters that were given as the space is written.
 * @throws ValueError for a parameter that is missing, unknown or out of its domain
 */
export function toValues(space: Space, params: object): Values {
  const values: Record<string, Scalar> = {}
  const walk = (part: Space, given: Readonly<Record<string, unknown>>, before: string): void => {
    const unknown = Object.keys(given).find((name) => !Object.hasOwn(part, name))
    if (unknown !== undefined) throw new ValueError(`the space has no parameter '${before}${unknown}'`)
    for (const [name, entry] of Object.entries(part)) {
      const path = `${before}${name}`
      const value = given[name]
      if (entry.kind !== 'branch') {
        if (!accepts(entry, value))
          throw new ValueError(`parameter '${path}' cannot be ${String(value)}: ${describe(entry)}`)
        values[path] = value
        continue
      }
      const { choice, ...rest } = (value ?? {}) as Readonly<Record<string, unknown>>
      const options = Object.keys(entry.options)
      if (typeof choice !== 'string' || !options.includes(choice))
        throw new ValueError(`'${path}' needs a choice of ${options.join(', ')}: got ${String(choice)}`)
      values[path] = choice
      walk(entry.options[choice]!, rest, `${path}.${choice}.`)
    }
  }
  walk(space, params as Readonly<Record<string, unknown>>, '')
  return values
}

function describe(domain: Domain): string {
  if (domain.kind === 'categorical') return `it is one of ${domain.choices.join(', ')}`
  const { kind, low, high, step } = domain
  return `it is ${kind === 'int' ? 'whole, ' : ''}from ${low} to ${high}${step > 0 ? ` in steps of ${step}` : ''}`
}
