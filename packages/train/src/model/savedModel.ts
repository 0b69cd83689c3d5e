// A trained model by itself: the graph that predicts, and the values of its variables.
import type { NDArray, Session, Tensor, TensorType } from '@shoal/core'
import { effectsOf, formatType, label, resourcesOf, toposort, Variable, variablesOf } from '@shoal/core'
import { ModelError } from './errors.ts'
import { inputNamed, transplant } from './transplant.ts'

/** What a model takes and gives: dtypes and shapes by name, where sizes may be names that a run binds. */
export interface Signature {
  readonly inputs: Readonly<Record<string, TensorType>>
  readonly outputs: Readonly<Record<string, TensorType>>
}

/** Texts about a model by name: its metrics, the parameters that it was trained with, whence it comes. */
export type Metadata = Readonly<Record<string, string>>

/** What a model is made of. */
export interface ModelParts {
  /** The placeholders that the outputs need, by the names under which values are given. */
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly outputs: Readonly<Record<string, Tensor>>
  /** The value of each variable that the outputs need, by its name. */
  readonly values: ReadonlyMap<string, NDArray>
  readonly metadata?: Metadata
}

/** A model that predicts: nothing in it is trained, drawn by chance or kept from one run to the next. Immutable. */
export class SavedModel {
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly outputs: Readonly<Record<string, Tensor>>
  readonly variables: readonly Variable[]
  /** By the names of the variables. */
  readonly values: ReadonlyMap<string, NDArray>
  readonly metadata: Metadata
  readonly signature: Signature

  /** @throws ModelError for outputs that do more than compute, and for inputs and values that are not those which the outputs need. */
  constructor({ inputs, outputs, values, metadata = {} }: ModelParts) {
    const graph = { fetches: Object.values(outputs), targets: [] }
    if (graph.fetches.length === 0) throw new ModelError('a model needs at least one output')
    demandComputing(graph.fetches)
    demandInputs(inputs, placeholdersOf(graph.fetches))
    this.inputs = inputs
    this.outputs = outputs
    this.variables = variablesOf(graph).map((resource) => new Variable(resource))
    demandValues(this.variables, values)
    this.values = values
    this.metadata = metadata
    this.signature = { inputs: typesOf(inputs), outputs: typesOf(outputs) }
  }

  /**
   * Gives the variables their values in a session, which then runs `outputs` with feeds for `inputs`. Variables of the same names that the session
   * has are overwritten: use one that does not train the same model.
   * @throws NameError when the session has other variables of these names.
   */
  async initialize(session: Session): Promise<void> {
    for (const variable of this.variables) await session.write(variable, this.values.get(variable.name)!)
  }

  /** The model with some of its outputs, and with what these need. @throws ModelError for an output that it does not have. */
  select(...names: readonly string[]): SavedModel {
    const unknown = names.find((name) => !Object.hasOwn(this.outputs, name))
    if (unknown !== undefined)
      throw new ModelError(
        `there is no output '${unknown}': the model has ${Object.keys(this.outputs).join(', ')}`,
      )
    const fetches = names.map((name) => this.outputs[name]!)
    const placeholders = placeholdersOf(fetches)
    return new SavedModel({
      inputs: Object.fromEntries(
        Object.entries(this.inputs).filter(([, tensor]) => placeholders.includes(tensor)),
      ),
      outputs: Object.fromEntries(names.map((name, i) => [name, fetches[i]!])),
      values: new Map(
        variablesOf({ fetches, targets: [] }).map(({ name }) => [name, this.values.get(name)!]),
      ),
      metadata: this.metadata,
    })
  }
}

/** What of a graph in training becomes a model. */
export interface CaptureOptions {
  readonly session: Session
  /** What the model is asked for, by name. Everything that these need, and nothing else, goes into the model. */
  readonly outputs: Readonly<Record<string, Tensor>>
  /** Names for the placeholders that the outputs need. Default: their own. */
  readonly inputs?: Readonly<Record<string, Tensor>>
  readonly metadata?: Metadata
}

/**
 * The model as it is now: its variables keep the values that the session has at this moment. Wishes for devices are left out.
 * @throws ModelError for outputs that do more than compute (assign, draw random numbers, read queues), naming the node; UninitializedError for a variable
 * without a value.
 */
export async function captureModel(options: CaptureOptions): Promise<SavedModel> {
  const { session, outputs, metadata = {} } = options
  const tensors = Object.values(outputs)
  demandComputing(tensors)
  const found = placeholdersOf(tensors)
  const given = options.inputs ?? byName(found)
  demandInputs(given, found)
  const inputs = Object.fromEntries(
    Object.entries(given).map(([name, { type }]) => [name, inputNamed(name, type)]),
  )
  const replaced = new Map(Object.entries(given).map(([name, tensor]) => [tensor, inputs[name]!]))
  const variables = variablesOf({ fetches: tensors, targets: [] }).map((resource) => new Variable(resource))
  const values = await session.run(variables)
  return new SavedModel({
    inputs,
    outputs: transplant(outputs, replaced, ''),
    values: new Map(variables.map(({ name }, i) => [name, values[i]!])),
    metadata,
  })
}

const typesOf = (tensors: Readonly<Record<string, Tensor>>): Readonly<Record<string, TensorType>> =>
  Object.fromEntries(Object.entries(tensors).map(([name, { dtype, shape }]) => [name, { dtype, shape }]))

const placeholdersOf = (outputs: readonly Tensor[]): Tensor[] =>
  toposort({ fetches: outputs, targets: [] }).flatMap(({ op, outputs: [value] }) =>
    op.body.kind === 'runtime' && op.body.role === 'feed' ? value! : [],
  )

function byName(placeholders: readonly Tensor[]): Record<string, Tensor> {
  const names = placeholders.map(({ name }) => name)
  const double = names.find((name, i) => names.indexOf(name) < i)
  if (double !== undefined)
    throw new ModelError(
      `two placeholders are named '${double}': say with \`inputs\` what each shall be called`,
    )
  return Object.fromEntries(placeholders.map((tensor) => [tensor.name, tensor]))
}

function demandComputing(outputs: readonly Tensor[]): void {
  const graph = { fetches: outputs, targets: [] }
  const state = resourcesOf(graph).find(({ kind }) => kind !== 'variable')
  if (state)
    throw new ModelError(
      `the outputs need ${state.kind === 'random' ? 'the random stream' : `the ${state.kind}`} '${state.name}': a model holds nothing but variables; save outputs that are built for predicting, without what only training needs`,
    )
  for (const node of toposort(graph)) {
    const [written] = effectsOf(node).writes
    if (written)
      throw new ModelError(
        `${label(node)} changes variable '${written.name}': a model stays as it is; save outputs that are built for predicting`,
      )
  }
}

function demandInputs(inputs: Readonly<Record<string, Tensor>>, needed: readonly Tensor[]): void {
  const given = new Set(Object.values(inputs))
  const missing = needed.find((tensor) => !given.has(tensor))
  if (missing) throw new ModelError(`the outputs need ${label(missing.node)}, which is not among the inputs`)
  for (const [name, tensor] of Object.entries(inputs))
    if (!needed.includes(tensor))
      throw new ModelError(`input '${name}' is no placeholder that the outputs need: leave it out`)
  if (given.size < Object.keys(inputs).length) throw new ModelError('two inputs are the same placeholder')
}

function demandValues(variables: readonly Variable[], values: ReadonlyMap<string, NDArray>): void {
  for (const { name, dtype, shape } of variables) {
    const value = values.get(name)
    if (!value) throw new ModelError(`variable '${name}' has no value`)
    if (value.dtype !== dtype || value.shape.join() !== shape.join())
      throw new ModelError(
        `variable '${name}' is ${formatType({ dtype, shape })}, its value ${formatType(value)}`,
      )
  }
  const names = new Set(variables.map(({ name }) => name))
  const idle = [...values.keys()].find((name) => !names.has(name))
  if (idle !== undefined) throw new ModelError(`there is a value '${idle}', and no variable of that name`)
}
