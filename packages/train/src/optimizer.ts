// An optimizer is a rule for one variable, and this maker around it: it finds gradients, keeps slots, and lets sparse rows use the dense rule.
import type { Gradient, Node, Tensor, VariableResource } from '@shoal/core'
import {
  add,
  cast,
  colocateWith,
  controlDependencies,
  device,
  DTypeError,
  fill,
  formatType,
  gather,
  GradientError,
  group,
  IndexedSlices,
  mergeShapes,
  scope,
  sparseGradients,
  Variable,
  wantedDevice,
} from '@shoal/core'
import type { Clip } from './clip.ts'
import { demandRate } from './optimizerOptions.ts'
import type { Rate } from './rate.ts'
import { rateAt } from './rate.ts'
import { rowSums } from './rows.ts'
import { sliceOf, trainableVariables } from './variables.ts'

/** The slots of a rule: the value that each element starts with, by name; undefined for a slot that is not used. */
export type SlotValues = { readonly [slot: string]: number | undefined }
/** A tensor for each slot. */
export type SlotTensors<S extends SlotValues> = {
  readonly [K in keyof S]: undefined extends S[K] ? Tensor | undefined : Tensor
}

/** What a rule is given: tensors of one shape and dtype, and two scalars of that dtype. */
export interface RuleInputs<S extends SlotValues> {
  readonly value: Tensor
  readonly gradient: Tensor
  readonly slots: SlotTensors<S>
  /** The learning rate of this step. */
  readonly rate: Tensor
  /** The number of this step, counted from 1. */
  readonly step: Tensor
}

/** How one variable changes in one step, element by element: the same for whole tensors and for some of their rows. */
export interface Rule<S extends SlotValues> {
  /** Names the slots; the default name of the optimizer. */
  readonly name: string
  readonly slots: S
  update(inputs: RuleInputs<S>): { readonly value: Tensor; readonly slots: SlotTensors<S> }
}

/** What every optimizer takes. */
export interface OptimizerOptions {
  /** Scalar; a schedule is given the global step, or the optimizer's own count of steps. */
  readonly learningRate: Rate
  /** Names slots and counter; two optimizers on one variable need different names. Default: the kind of optimizer. */
  readonly name?: string
}

/** A gradient and the variable that it belongs to. */
export type GradientPair = readonly [gradient: Gradient, variable: Variable]

/** How steps are applied. */
export interface ApplyOptions {
  /** A counter (integer scalar) that grows by one with each step, and that schedules follow. */
  readonly globalStep?: Variable
  /** Counts the steps in the place of the optimizer's own counter: where parts of a step are applied on several machines, each has one. */
  readonly counter?: Variable
  /** What schedules follow in the place of `globalStep`, an integer scalar: where that is counted elsewhere. */
  readonly scheduled?: Tensor
}

/** How a loss is minimised. */
export interface MinimizeOptions extends ApplyOptions {
  /** Default: all trainable variables that the loss depends on. */
  readonly variables?: readonly Variable[]
  /** Changes the gradients before they are used: `clipByGlobalNorm(1)`. */
  readonly clip?: Clip
}

/**
 * The gradients of a loss by variables, rows of gathered ones as IndexedSlices. Variables that it does not depend on are left out.
 * @param variables default: all trainable ones that the loss depends on.
 * @throws GradientError when nothing is left.
 */
export function lossGradients(
  loss: Tensor,
  variables: readonly Variable[] = trainableVariables(loss),
): GradientPair[] {
  const found = scope('gradients', () => sparseGradients(loss, variables))
  const pairs = variables.flatMap((v, i) => (found[i] ? [[found[i], v] as const] : []))
  if (pairs.length === 0)
    throw new GradientError('the loss depends on none of the variables to be trained', { node: loss.node })
  return pairs
}

/** Changes variables so that a loss falls. Its variables are made when it is first applied to others. */
export class Optimizer<S extends SlotValues = SlotValues> {
  readonly name: string
  readonly #rule: Rule<S>
  readonly #rate: Rate
  readonly #steps: Variable
  readonly #slots = new Map<Variable['resource'], { readonly [slot: string]: Variable }>()

  /**
   * @param options the rate and the name; what else a kind of optimizer takes is in its rule.
   * @throws ValueError for a rate that is none.
   */
  constructor(rule: Rule<S>, { learningRate, name = rule.name }: OptimizerOptions) {
    demandRate(name, learningRate)
    this.name = name
    this.#rule = rule
    this.#rate = learningRate
    this.#steps = stateVariable(`${name}/step`, { dtype: 'int32', shape: [] }, 0)
  }

  /** Its own state, for checkpoints: the counter `<name>/step`, and `<variable>/<name>/<slot>` for each variable and slot. */
  get variables(): readonly Variable[] {
    return [this.#steps, ...[...this.#slots.values()].flatMap((slots) => Object.values(slots))]
  }

  /** A node that takes one step down the gradients of a loss (a float tensor, summed). @throws GradientError when there are none. */
  minimize(loss: Tensor, { variables, clip, ...options }: MinimizeOptions = {}): Node {
    const pairs = lossGradients(loss, variables)
    return this.apply(clip ? clip(pairs) : pairs, options)
  }

  /**
   * A node that takes one step with the given gradients. Rows (IndexedSlices) change only themselves, in the variable and its slots;
   * rows that were read several times are added up first.
   * @throws ShapeError or DTypeError when a gradient does not fit its variable.
   */
  apply(pairs: readonly GradientPair[], options: ApplyOptions = {}): Node {
    const { globalStep, counter = this.#steps } = options
    return scope(this.name, () => {
      const before = counter.read()
      const scheduled = options.scheduled ?? globalStep?.read() ?? before
      const updates = pairs.map(([gradient, variable]) =>
        colocated(variable, () => this.#applyOne(gradient, variable, before, scheduled)),
      )
      const counters = globalStep ? [counter, globalStep] : [counter]
      // A step that fails on the way, because gradients of others did not come, is not counted.
      return controlDependencies(updates, () => group(...counters.map((each) => each.assignAdd(1))))
    })
  }

  #applyOne(gradient: Gradient, variable: Variable, before: Tensor, scheduled: Tensor): Node {
    const { dtype } = variable
    const sparse = gradient instanceof IndexedSlices
    checkFit(sparse ? gradient.values.dtype : gradient.dtype, gradient.shape, variable)
    const slots = this.#slotsOf(variable)
    const read = (v: Variable): Tensor => (sparse ? gather(v, gradient.indices) : v.read())
    const write = (v: Variable, value: Tensor): Tensor =>
      sparse ? v.scatterUpdate(gradient.indices, value) : v.assign(value)
    const after = this.#rule.update({
      value: read(variable),
      gradient: sparse ? rowSums(gradient) : gradient,
      slots: Object.fromEntries(Object.entries(slots).map(([k, v]) => [k, read(v)])) as SlotTensors<S>,
      rate: rateAt(this.#rate, scheduled, dtype),
      step: cast(add(before, 1), { to: dtype }),
    })
    return group(
      write(variable, after.value),
      ...Object.entries(slots).map(([k, v]) => write(v, after.slots[k]!)),
    )
  }

  #slotsOf(variable: Variable): { readonly [slot: string]: Variable } {
    const known = this.#slots.get(variable.resource)
    if (known) return known
    const used = Object.entries(this.#rule.slots).filter(
      (slot): slot is [string, number] => slot[1] !== undefined,
    )
    const slots = Object.fromEntries(
      used.map(([slot, value]) => [
        slot,
        stateVariable(
          `${variable.name}/${this.name}/${slot}`,
          variable.resource.type,
          value,
          sliceOf(variable, `${this.name}/${slot}`),
        ),
      ]),
    )
    this.#slots.set(variable.resource, slots)
    return slots
  }
}

/** A variable that is not trained, every element `value` at first, under exactly this name. */
function stateVariable(
  name: string,
  type: Variable['resource']['type'],
  value: number,
  slice: Pick<VariableResource, 'slice'> = {},
): Variable {
  const declared = { kind: 'variable', name, type, trainable: false, ...slice } as const
  const made = device(wantedDevice(declared), () => fill({ shape: type.shape, value, dtype: type.dtype }))
  // Whatever a step waits for, the start waits for nothing.
  const [initial] = made.node.with({ control: [] }).outputs
  return new Variable({ ...declared, initial: initial! })
}

/** Builds where the variable was asked to be, so that the update of a parameter runs on the server that holds it. */
function colocated<T>({ resource }: Variable, build: () => T): T {
  return resource.initial ? colocateWith(resource.initial, build) : build()
}

function checkFit(dtype: Tensor['dtype'], shape: Tensor['shape'], variable: Variable): void {
  if (dtype !== variable.dtype)
    throw new DTypeError(
      `the gradient of '${variable.name}', ${formatType(variable.resource.type)}, is ${dtype}: cast it`,
    )
  mergeShapes(shape, variable.shape, `the gradient of '${variable.name}' does not fit it`)
}
