// The command line of an example as a record: defaults tell names and types, and every example takes a few options more.
import { parseArgs } from 'node:util'
import { ValueError } from '@shoal/core'

/** What an option can be; its default tells which. */
export type ArgumentValue = number | string | boolean
/** Options by name with their defaults. */
export type Defaults = { readonly [name: string]: ArgumentValue }
/** What options become: a default of 5 lets any number in, one of 'x' any string. */
export type Values<D extends Defaults> = {
  readonly [K in keyof D]: D[K] extends number ? number : D[K] extends boolean ? boolean : string
}

const everywhere = { device: 'cpu', threads: 1, seed: 1, short: false } as const
/** The options that every example takes. */
export type CommonArguments = Values<typeof everywhere>

/**
 * Reads `--name value` for each default, and besides: `--device cpu|webgpu|reference`, `--threads n`, `--seed n`, and `--short` for a run of
 * seconds that checks itself. Prints what went wrong and ends the process with 2 when the command line cannot be understood.
 */
export function readArguments<const D extends Defaults>(
  defaults: D,
  args: readonly string[] = process.argv.slice(2),
): Values<D> & CommonArguments {
  try {
    return parseArguments(defaults, args)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    return process.exit(2)
  }
}

/** As `readArguments`. @throws TypeError for unknown options, ValueError for values of the wrong kind. */
export function parseArguments<const D extends Defaults>(
  defaults: D,
  args: readonly string[],
): Values<D> & CommonArguments {
  const all: Defaults = { ...everywhere, ...defaults }
  const options = Object.fromEntries(
    Object.entries(all).map(([name, value]) => [
      name,
      { type: typeof value === 'boolean' ? 'boolean' : 'string' } as const,
    ]),
  )
  const { values } = parseArgs({ args: [...args], options, allowNegative: true })
  const read = Object.entries(all).map(([name, value]) => [name, convert(name, values[name], value)])
  return Object.fromEntries(read) as Values<D> & CommonArguments
}

function convert(name: string, given: string | boolean | undefined, byDefault: ArgumentValue): ArgumentValue {
  if (given === undefined) return byDefault
  if (typeof byDefault !== 'number') return given
  const number = Number(given)
  if (given === '' || !Number.isFinite(number))
    throw new ValueError(`--${name} wants a number, not '${given}'`)
  return number
}
