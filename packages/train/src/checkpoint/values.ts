// The values of variables taken out of a session and put back, all in one run.
import type { NDArray, Session, Tensor, Variable, VariableResource } from '@shoal/core'
import { formatType, placeholder } from '@shoal/core'
import { CheckpointError } from './errors.ts'
import { cutSlice, joinSlices, savedName, savedShape } from './slices.ts'

/**
 * The values of variables by name, all from the same moment; parts of one variable together, under its name.
 * @throws UninitializedError when one has none, CheckpointError when parts are missing.
 */
export async function readVariables(
  session: Session,
  variables: readonly Variable[],
): Promise<Map<string, NDArray>> {
  const values = await session.run(variables)
  return joinSlices(variables, values)
}

interface Setter {
  readonly value: Tensor
  readonly assign: Tensor
}
// Made once per variable, so that sessions can keep the compiled program.
const setters = new WeakMap<VariableResource, Setter>()

function setterOf(variable: Variable): Setter {
  const known = setters.get(variable.resource)
  if (known) return known
  const { dtype, shape } = variable
  const value = placeholder({ dtype, shape, name: 'restored' })
  const setter = { value, assign: variable.assign(value) }
  setters.set(variable.resource, setter)
  return setter
}

/**
 * Gives variables the values that stand under their names, parts their rows of a whole; all or, when anything does not fit, none.
 * @param options.allowMissing leave variables alone that have no value among these? Default false.
 * @param options.source where the values come from, for the message of an error.
 * @returns the names of those left alone.
 * @throws CheckpointError listing all that is missing, of another dtype or of another shape, and what there is.
 */
export async function writeVariables(
  session: Session,
  variables: readonly Variable[],
  values: ReadonlyMap<string, NDArray>,
  { allowMissing = false, source }: { readonly allowMissing?: boolean; readonly source?: string } = {},
): Promise<string[]> {
  const missing = variables.filter((v) => !values.has(savedName(v))).map((v) => v.name)
  const found = variables.filter((v) => values.has(savedName(v)))
  const misfits = found.flatMap((v) => misfit(v, values.get(savedName(v))!))
  const faults = [...(allowMissing ? [] : missing.map((name) => `'${name}' is missing`)), ...misfits]
  if (faults.length > 0)
    throw new CheckpointError(
      `the values${source === undefined ? '' : ` of ${source}`} do not fit the variables: ${faults.join('; ')}${
        missing.length > 0 && !allowMissing ? ' (allowMissing leaves what is missing as it is)' : ''
      }; there ${contents(values)}`,
    )
  const pairs = found.map((v) => ({ ...setterOf(v), array: cutSlice(v, values.get(savedName(v))!) }))
  await session.run(
    pairs.map(({ assign }) => assign.node),
    pairs.map(({ value, array }) => [value, array] as const),
  )
  return missing
}

/** How many values a message lists. */
const listed = 20

function contents(values: ReadonlyMap<string, NDArray>): string {
  const names = [...values].slice(0, listed).map(([name, value]) => `'${name}' ${formatType(value)}`)
  if (names.length === 0) return 'are no values'
  return `are ${names.join(', ')}${values.size > listed ? ` and ${values.size - listed} more` : ''}`
}

function misfit(variable: Variable, value: NDArray): string[] {
  const { dtype } = variable
  const shape = savedShape(variable)
  const same = value.dtype === dtype && value.shape.join() === shape.join()
  return same
    ? []
    : [`'${savedName(variable)}' is ${formatType(value)}, the variable ${formatType({ dtype, shape })}`]
}
