// Several models as one: members compute beside each other from the same inputs, and what they say is combined in the same graph.
import type { NDArray, Tensor, TensorType } from '@shoal/core'
import { floats, formatType, mergeShapes } from '@shoal/core'
import { ModelError } from '../model/errors.ts'
import type { Metadata } from '../model/savedModel.ts'
import { SavedModel } from '../model/savedModel.ts'
import { inputNamed, transplant } from '../model/transplant.ts'
import type { Combination } from './combine.ts'
import { combined } from './combine.ts'

/** How an ensemble is made. */
export type EnsembleOptions = Combination & {
  /** The output that is combined, which all members have; the ensemble has it alone. Default: the only one that they have. */
  readonly output?: string
  readonly metadata?: Metadata
}

/**
 * One model out of several, which may be ensembles themselves. Members keep their variables, under `member0/`, `member1/`, …; inputs of the same
 * name are shared.
 * @throws ModelError when members do not go together, naming which, and for weights or a stacking that are not for them.
 */
export function ensembleModels(models: readonly SavedModel[], options: EnsembleOptions): SavedModel {
  const name = options.output ?? onlyOutput(models)
  const members = models.map((model, i) => narrowed(model, name, i))
  demandSameOutput(members, name)
  const inputs = sharedInputs(members)
  const values = new Map<string, NDArray>()
  const said = members.map((member, i) => {
    const prefix = `member${i}/`
    for (const [variable, value] of member.values) values.set(prefix + variable, value)
    const replaced = Object.entries(member.inputs).map(([input, tensor]) => [tensor, inputs[input]!] as const)
    return transplant(member.outputs, new Map(replaced), prefix)[name]!
  })
  const { output, values: learnt } = combined(said, options)
  for (const [variable, value] of learnt) values.set(variable, value)
  const { metadata = {} } = options
  return new SavedModel({ inputs, outputs: { [name]: output }, values, metadata })
}

function onlyOutput(models: readonly SavedModel[]): string {
  const [first] = models
  if (!first) throw new ModelError('an ensemble needs at least one member')
  const names = Object.keys(first.outputs)
  if (names.length === 1) return names[0]!
  throw new ModelError(
    `members have the outputs ${names.join(', ')}: say with \`output\` which one is to be combined`,
  )
}

function narrowed(model: SavedModel, output: string, index: number): SavedModel {
  if (Object.hasOwn(model.outputs, output)) return model.select(output)
  throw new ModelError(
    `member ${index} has no output '${output}', it has ${Object.keys(model.outputs).join(', ')}: members must have the same`,
  )
}

function demandSameOutput(members: readonly SavedModel[], name: string): void {
  members.reduce<TensorType>((type, { outputs }, i) => {
    const own = outputs[name]!.type
    if (!floats.includes(own.dtype))
      throw new ModelError(
        `output '${name}' of member ${i} is ${formatType(own)}: only floats can be combined`,
      )
    return merged(type, own, `output '${name}' of member ${i}`)
  }, members[0]!.outputs[name]!.type)
}

/** A placeholder for each name, of a type that fits every member that has it. */
function sharedInputs(members: readonly SavedModel[]): Record<string, Tensor> {
  const types = new Map<string, TensorType>()
  members.forEach(({ signature }, i) => {
    for (const [name, type] of Object.entries(signature.inputs))
      types.set(name, merged(types.get(name) ?? type, type, `input '${name}' of member ${i}`))
  })
  return Object.fromEntries(Array.from(types, ([name, type]) => [name, inputNamed(name, type)]))
}

function merged(type: TensorType, own: TensorType, what: string): TensorType {
  const wrong = (cause?: unknown): ModelError =>
    new ModelError(`${what} is ${formatType(own)}, that of members before it ${formatType(type)}`, { cause })
  if (own.dtype !== type.dtype) throw wrong()
  try {
    return { dtype: type.dtype, shape: mergeShapes(type.shape, own.shape) }
  } catch (cause) {
    throw wrong(cause)
  }
}
