// Accumulators: gradients from many sides, averaged when there are enough of them, each set used once.
import { IndexedSlices } from '../../autodiff/indexedSlices.ts'
import { floats } from '../../dtype.ts'
import { AttrError, DTypeError, ShapeError } from '../../errors.ts'
import type { Node, Tensor } from '../../graph/graph.ts'
import { named, surroundings } from '../../graph/scope.ts'
import { ndarray } from '../../ndarray.ts'
import type { AnyOp, Gradient } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import type { AccumulatorResource, AnyResource, GradientType } from '../../resource.ts'
import { AccumulatorState } from '../../run/accumulatorState.ts'
import type { RunContext } from '../../run/context.ts'
import type { TensorType } from '../../shape.ts'
import { formatType, isConcrete, mergeShapes, unknown } from '../../shape.ts'
import { fill } from '../array/fill.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'

const resourceAttr = { resource: attr.resource('the accumulator') }
const typesOf = (resource: AnyResource): readonly GradientType[] => (resource as AccumulatorResource).types

/** What a gradient is made of: a tensor, or the values and indices of as many rows as it has. */
const partsOf = (
  types: readonly GradientType[],
  rows: (type: GradientType) => number | string,
): TensorType[] =>
  types.flatMap((type) =>
    type.rows === undefined
      ? [{ dtype: type.dtype, shape: type.shape }]
      : [
          { dtype: type.dtype, shape: [rows(type), ...type.shape.slice(1)] },
          { dtype: 'int32', shape: [rows(type)] },
        ],
  )
const meanTypes = (resource: AnyResource): TensorType[] => partsOf(typesOf(resource), ({ rows }) => rows!)

const applyOp = defineOp({
  name: 'AccumulatorApply',
  doc: 'Adds gradients to the set of an accumulator; answers whether they count.',
  inputs: ['step', 'weight', '...gradients'],
  dtypes: [['int32'], ['float32'], [...floats, 'int32', 'int64']],
  attrs: { ...resourceAttr, from: attr.int('who they are from; -1: nobody in particular', -1) },
  traits: { effect: 'external' },
  infer: ([, , ...given], { resource }) => {
    checkParts(
      given,
      partsOf(typesOf(resource), () => unknown),
    )
    return [{ dtype: 'bool', shape: [] }]
  },
  body: {
    kind: 'runtime',
    role: 'host',
    run([step, weight, ...arrays], { resource, from }, context) {
      const contribution = { step: step!.number(), weight: weight!.number(), from }
      return [ndarray(stateOf(resource, context).add(arrays, contribution))]
    },
  },
})

const takeOp = defineOp({
  name: 'AccumulatorTake',
  doc: 'Waits for so many contributions, answers their mean, and goes on to the next step.',
  inputs: ['count'],
  dtypes: [['int32']],
  attrs: resourceAttr,
  outputs: 'list',
  traits: { effect: 'external' },
  infer: (_, { resource }) => meanTypes(resource),
  body: {
    kind: 'runtime',
    role: 'host',
    run: ([count], { resource }, context) => stateOf(resource, context).take(count!.number(), context.signal),
  },
})

const leaseOp = defineOp({
  name: 'AccumulatorLease',
  doc: 'Waits for the set of a step, which one run gets; all others wait until it was used. Answers who this is, and the step by then.',
  inputs: ['step'],
  dtypes: [['int32']],
  attrs: { ...resourceAttr, from: attr.int('who asks; -1: nobody in particular', -1) },
  outputs: ['taken', 'step'],
  traits: { effect: 'external' },
  infer: () => [
    { dtype: 'bool', shape: [] },
    { dtype: 'int32', shape: [] },
  ],
  body: {
    kind: 'runtime',
    role: 'host',
    async run([step], { resource, from }, context) {
      const state = stateOf(resource, context)
      if (state.step < 0) context.log(`accumulator '${resource.name}' is held: waiting until its step is set`)
      const lease = await state.lease(step!.number(), context.step, context.signal, from)
      if (lease.taken) context.onEnd(() => state.release(context.step))
      return [ndarray(lease.taken), ndarray(lease.step, 'int32')]
    },
  },
})

const meanOp = defineOp({
  name: 'AccumulatorMean',
  doc: 'The mean of the set that this run has.',
  inputs: [],
  attrs: resourceAttr,
  outputs: 'list',
  traits: { effect: 'external' },
  infer: (_, { resource }) => meanTypes(resource),
  body: {
    kind: 'runtime',
    role: 'host',
    run: (_, { resource }, context) => stateOf(resource, context).meanFor(context.step),
  },
})

const settleOp = defineOp({
  name: 'AccumulatorSettle',
  doc: 'Says that the set that this run has was used: on to the next step.',
  inputs: [],
  attrs: resourceAttr,
  outputs: 'list',
  traits: { effect: 'external' },
  infer: () => [],
  body: {
    kind: 'runtime',
    role: 'host',
    run(_, { resource }, context) {
      stateOf(resource, context).settle(context.step)
      return []
    },
  },
})

const setOp = defineOp({
  name: 'AccumulatorSet',
  doc: 'Sets the step of an accumulator, and throws away what was gathered; or how many contributions make a set.',
  inputs: ['value'],
  dtypes: [['int32']],
  attrs: { ...resourceAttr, what: attr.oneOf('what is set', ['step', 'count']) },
  outputs: 'list',
  traits: { effect: 'external' },
  infer: () => [],
  body: {
    kind: 'runtime',
    role: 'host',
    async run([value], { resource, what }, context) {
      const state = stateOf(resource, context)
      if (what === 'step') await state.setStep(value!.number(), context.signal)
      else state.setCount(value!.number())
      return []
    },
  },
})

const statusOp = defineOp({
  name: 'AccumulatorStatus',
  doc: 'The step of an accumulator, the contributions gathered for it, how many make a set, and how many did not count so far; int32.',
  inputs: [],
  attrs: resourceAttr,
  outputs: ['step', 'gathered', 'count', 'dropped'],
  traits: { effect: 'external' },
  infer: () => Array.from({ length: 4 }, () => ({ dtype: 'int32', shape: [] })),
  body: {
    kind: 'runtime',
    role: 'host',
    run(_, { resource }, context) {
      const { step, gathered, count, dropped } = stateOf(resource, context)
      return [step, gathered, count, dropped].map((x) => ndarray(x, 'int32'))
    },
  },
})

/** The definitions behind accumulators, for lists of ops. */
export const accumulatorOps: readonly AnyOp[] = [applyOp, takeOp, leaseOp, meanOp, settleOp, setOp, statusOp]

function stateOf(resource: AnyResource, context: RunContext): AccumulatorState {
  const { name, types, count, held } = resource as AccumulatorResource
  return context.state(resource, () => new AccumulatorState(name, types, count, held ? -1 : 0))
}

function checkParts(given: readonly TensorType[], wanted: readonly TensorType[]): void {
  if (given.length !== wanted.length)
    throw new ShapeError(`the accumulator takes ${wanted.length} tensors, got ${given.length}`)
  wanted.forEach((type, i) => {
    const { dtype, shape } = given[i]!
    const isIndex = type.dtype === 'int32'
    if (dtype !== type.dtype && !(isIndex && dtype === 'int64'))
      throw new DTypeError(
        `gradient tensor ${i} is ${dtype}, the accumulator takes ${formatType(type)}: cast it`,
      )
    mergeShapes(shape, type.shape, `gradient tensor ${i} does not fit the accumulator`)
  })
}

/** How gradients are added to a set. */
export interface AccumulateOptions {
  /** The step that they were computed at, an int32 scalar: they count only if the accumulator is at it. Default 0. */
  readonly step?: TensorLike
  /** What they count for in the mean, a float32 scalar: the number of examples. Default 1. */
  readonly weight?: TensorLike
  /** Who they are from, a number: of one contributor only the first of a step count, so that a step may be tried again. Default: nobody in particular. */
  readonly from?: number
}

/**
 * Gathers gradients that several runs compute, kept between them. Its methods build nodes; running these does the work, where they are placed:
 * put all nodes of one accumulator on one device. Sums are float32, or float64 for gradients of that.
 *
 * There are two ways to use a set. `take` is for one who takes all sets. `lease`, `mean` and `settle` are for many runs of which any may do
 * it, and any may die: one gets the set, and if its run ends without `settle` the next one does.
 */
export class Accumulator {
  readonly resource: AccumulatorResource
  constructor(resource: AccumulatorResource) {
    this.resource = resource
  }
  /** Unique among the resources of a graph. */
  get name(): string {
    return this.resource.name
  }
  /**
   * Adds a gradient of each type to the set. Answers a bool scalar: do they count? Not when they are of another step, come while the set is
   * being used, or are the second of that step from one contributor; such ones are dropped.
   * A run of it throws RunError for a weight that is negative or not finite, and for more different rows than were declared.
   * @throws ShapeError, DTypeError for gradients that do not fit.
   */
  apply(gradients: readonly (Gradient | TensorLike)[], options: AccumulateOptions = {}): Tensor {
    const { step = 0, weight = 1, from = -1 } = options
    const parts = gradients.flatMap((gradient, i) =>
      gradient instanceof IndexedSlices
        ? [gradient.values, gradient.indices]
        : [toTensor(gradient, this.resource.types[i]?.dtype)],
    )
    const inputs = [toTensor(step, 'int32'), toTensor(weight, 'float32'), ...parts]
    const { resource } = this
    return this.build(() => makeNode(applyOp.def, inputs, { resource, from }, 'apply').outputs[0]!)
  }
  /** Waits for `count` contributions (int32 scalar; default: as many as make a set), and answers their mean by weights; the step goes on by one. */
  take(count: TensorLike = this.resource.count): readonly Gradient[] {
    const { resource } = this
    return this.gradients(() => makeNode(takeOp.def, [toTensor(count, 'int32')], { resource }, 'take'))
  }
  /**
   * Waits until the set of a step is complete: one run gets it, `taken`, and all others wait until it was used. Those who ask for a step that
   * the accumulator is not at, or no longer, are answered at once. `step`: the one that it is at by then.
   * @param options.from who asks, as in `apply`: a contributor whose gradient is not in the set, because it came while the set was being used or was
   * thrown away, is told so, instead of waiting for a set that may lack nothing but that. Default: nobody in particular, who waits.
   */
  lease(
    step: TensorLike,
    { from = -1 }: { readonly from?: number } = {},
  ): { readonly taken: Tensor; readonly step: Tensor } {
    return this.build(() => {
      const [taken, now] = leaseOp(toTensor(step, 'int32'), { resource: this.resource, from, name: 'lease' })
      return { taken, step: now }
    })
  }
  /** The mean of the set that this run has. A run of it throws RunError when it has none. */
  mean(): readonly Gradient[] {
    return this.gradients(() => makeNode(meanOp.def, [], { resource: this.resource }, 'mean'))
  }
  /** Says that the set that this run has was used; the step goes on by one. A run of it throws RunError when it has none. */
  settle(): Node {
    return this.build(() => makeNode(settleOp.def, [], { resource: this.resource }, 'settle'))
  }
  /**
   * Goes to a step (int32 scalar), in either direction, and throws away what was gathered; those who wait for the set are told. Below 0 the
   * accumulator is held: no gradient counts, and `lease` waits, until a step is set.
   */
  setStep(step: TensorLike): Node {
    return this.set('step', step)
  }
  /** Changes how many contributions make a set (int32 scalar), also for those who wait. A run of it throws RunError for less than 1. */
  setCount(count: TensorLike): Node {
    return this.set('count', count)
  }
  /** int32 scalars: the step, the contributions gathered for it, how many make a set, and how many were dropped so far. */
  status(): {
    readonly step: Tensor
    readonly gathered: Tensor
    readonly count: Tensor
    readonly dropped: Tensor
  } {
    return this.build(() => {
      const [step, gathered, count, dropped] = statusOp({ resource: this.resource, name: 'status' })
      return { step, gathered, count, dropped }
    })
  }
  private set(what: 'step' | 'count', value: TensorLike): Node {
    const { resource } = this
    return this.build(() =>
      makeNode(
        setOp.def,
        [toTensor(value, 'int32')],
        { resource, what },
        what === 'step' ? 'setStep' : 'setCount',
      ),
    )
  }
  private gradients(make: () => Node): readonly Gradient[] {
    return this.build(() => {
      const parts = make().outputs.values()
      return this.resource.types.map((type): Gradient => {
        const values = parts.next().value!
        return type.rows === undefined ? values : rowsOf(type, values, parts.next().value!)
      })
    })
  }
  private build<T>(make: () => T): T {
    return named(`${this.resource.name}/`, make)
  }
}

const rowsOf = ({ shape, dtype }: GradientType, values: Tensor, indices: Tensor): IndexedSlices =>
  new IndexedSlices(values, indices, fill({ shape, value: 0, dtype }))

let unnamed = 0

/**
 * An accumulator of gradients.
 * @param spec.types of the gradients; with `rows` for those that come as IndexedSlices.
 * @param spec.count how many contributions make a set; default 1.
 * @param spec.held is it at no step until `setStep`? Default false: it begins at step 0.
 * @param spec.name scoped; numbered when left out.
 * @throws AttrError, DTypeError for what is no float, ShapeError for sizes that are not known.
 */
export function accumulator(spec: {
  readonly types: readonly GradientType[]
  readonly count?: number
  readonly held?: boolean
  readonly name?: string
}): Accumulator {
  const { types, count = 1, held = false } = spec
  const name = surroundings().prefix + (spec.name ?? `accumulator_${unnamed++}`)
  if (!Number.isInteger(count) || count < 1)
    throw new AttrError(`accumulator '${name}': count ${count} must be a whole number, at least 1`)
  for (const type of types) {
    if (!floats.includes(type.dtype))
      throw new DTypeError(`accumulator '${name}': gradients are floats, not ${formatType(type)}`)
    if (!isConcrete(type.shape))
      throw new ShapeError(`accumulator '${name}': the sizes of ${formatType(type)} must be known`)
    if (type.rows !== undefined && !(Number.isInteger(type.rows) && type.rows >= 0 && type.shape.length > 0))
      throw new AttrError(
        `accumulator '${name}': rows ${type.rows} of ${formatType(type)} must be a whole number, of something that has rows`,
      )
  }
  return new Accumulator({ kind: 'accumulator', name, types, count, held })
}
