// Queues: tuples of tensors handed from one run to another, where runs wait for room and for elements.
import { AttrError, DTypeError, ShapeError } from '../../errors.ts'
import type { Node, Tensor } from '../../graph/graph.ts'
import { named, surroundings } from '../../graph/scope.ts'
import type { NDArray } from '../../ndarray.ts'
import { ndarray } from '../../ndarray.ts'
import type { AnyOp } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import type { AnyResource, QueueResource } from '../../resource.ts'
import type { RunContext } from '../../run/context.ts'
import { QueueState } from '../../run/queueState.ts'
import { splitRows, stackRows } from '../../run/rows.ts'
import type { TensorType } from '../../shape.ts'
import { formatType, mergeShapes, unknown } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'

type Element = readonly NDArray[]

const resourceAttr = { resource: attr.resource('the queue') }
const typesOf = (resource: AnyResource): readonly TensorType[] => (resource as QueueResource).types
const batchOf = (types: readonly TensorType[], count: number | string): TensorType[] =>
  types.map(({ dtype, shape }) => ({ dtype, shape: [count, ...shape] }))

const enqueueOp = defineOp({
  name: 'QueueEnqueue',
  doc: 'Puts one element into a queue, or one for each row of the inputs; waits while the queue is full.',
  inputs: ['...components'],
  attrs: { ...resourceAttr, many: attr.bool('are the rows of the inputs the elements?', false) },
  outputs: 'list',
  traits: { effect: 'external' },
  infer: (given, { resource, many }) => {
    checkComponents(given, many ? batchOf(typesOf(resource), unknown) : typesOf(resource))
    return []
  },
  body: {
    kind: 'runtime',
    role: 'host',
    async run(components, { resource, many }, context) {
      const elements: Element[] = many ? transpose(components.map(splitRows)) : [components]
      await stateOf(resource, context).enqueue(elements, context.signal)
      return []
    },
  },
})

const dequeueOp = defineOp({
  name: 'QueueDequeue',
  doc: 'Takes one element out of a queue; waits for one.',
  inputs: [],
  attrs: resourceAttr,
  outputs: 'list',
  traits: { effect: 'external' },
  infer: (_, { resource }) => typesOf(resource),
  body: {
    kind: 'runtime',
    role: 'host',
    run: async (_, { resource }, context) =>
      (await stateOf(resource, context).dequeue(1, context.signal))[0]!,
  },
})

const dequeueManyOp = defineOp({
  name: 'QueueDequeueMany',
  doc: 'Takes several elements out of a queue, stacked along a new first axis; waits until all are there.',
  inputs: [],
  attrs: {
    ...resourceAttr,
    count: attr.int('how many elements'),
    upTo: attr.bool('is what is left in a closed queue enough?', false),
  },
  outputs: 'list',
  traits: { effect: 'external' },
  infer: (_, { resource, count, upTo }) => {
    if (count < 0) throw new AttrError(`count ${count} must not be negative`)
    return batchOf(typesOf(resource), upTo ? unknown : count)
  },
  body: {
    kind: 'runtime',
    role: 'host',
    async run(_, { resource, count, upTo }, context) {
      const state = stateOf(resource, context)
      const elements = await (upTo
        ? state.dequeueUpTo(count, context.signal)
        : state.dequeue(count, context.signal))
      return typesOf(resource).map(({ dtype, shape }, i) =>
        stackRows(
          elements.map((e) => e[i]!),
          dtype,
          shape.map((d) => (typeof d === 'number' ? d : 0)),
        ),
      )
    },
  },
})

const closeOp = defineOp({
  name: 'QueueClose',
  doc: 'Lets no more elements into a queue; what is in it can still be taken.',
  inputs: [],
  attrs: { ...resourceAttr, cancelPending: attr.bool('fail the enqueues that wait for room?', false) },
  outputs: 'list',
  traits: { effect: 'external' },
  infer: () => [],
  body: {
    kind: 'runtime',
    role: 'host',
    run(_, { resource, cancelPending }, context) {
      stateOf(resource, context).close({ cancelPending })
      return []
    },
  },
})

const sizeOp = defineOp({
  name: 'QueueSize',
  doc: 'How many elements are in a queue now, int32.',
  inputs: [],
  attrs: resourceAttr,
  traits: { effect: 'external' },
  infer: () => [{ dtype: 'int32', shape: [] }],
  body: {
    kind: 'runtime',
    role: 'host',
    run: (_, { resource }, context) => [ndarray(stateOf(resource, context).size, 'int32')],
  },
})

const isClosedOp = defineOp({
  name: 'QueueIsClosed',
  doc: 'Was a queue closed? bool.',
  inputs: [],
  attrs: resourceAttr,
  traits: { effect: 'external' },
  infer: () => [{ dtype: 'bool', shape: [] }],
  body: {
    kind: 'runtime',
    role: 'host',
    run: (_, { resource }, context) => [ndarray(stateOf(resource, context).isClosed)],
  },
})

/** The definitions behind queues, for lists of ops. */
export const queueOps: readonly AnyOp[] = [enqueueOp, dequeueOp, dequeueManyOp, closeOp, sizeOp, isClosedOp]

function stateOf(resource: AnyResource, context: RunContext): QueueState<Element> {
  const { name, capacity, shuffle } = resource as QueueResource
  return context.state(
    resource,
    () =>
      new QueueState<Element>({
        name,
        capacity,
        ...(shuffle && {
          minAfterDequeue: shuffle.minAfterDequeue,
          choose: chooser(shuffle.seed ^ context.seed),
        }),
      }),
  )
}

/** Equally likely positions from a seed: Marsaglia's xorshift32 over a counter hashed by Wang's multiplier, so that nearby seeds differ at once. */
function chooser(seed: number): (size: number) => number {
  let x = Math.imul(seed ^ 0x9e3779b9, 0x27d4eb2d) || 1
  return (size) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return Math.floor(((x >>> 0) / 2 ** 32) * size)
  }
}

function checkComponents(given: readonly TensorType[], wanted: readonly TensorType[]): void {
  if (given.length !== wanted.length)
    throw new ShapeError(`the elements of the queue have ${wanted.length} components, got ${given.length}`)
  wanted.forEach((type, i) => {
    if (given[i]!.dtype !== type.dtype)
      throw new DTypeError(
        `component ${i} is ${given[i]!.dtype}, the queue holds ${formatType(type)}: cast it`,
      )
    mergeShapes(given[i]!.shape, type.shape, `component ${i} does not fit the queue`)
  })
}

/** Rows of components from components of rows. @throws ShapeError when the components differ in their number of rows. */
function transpose(columns: readonly (readonly NDArray[])[]): Element[] {
  const [first] = columns
  columns.forEach((c) => {
    if (c.length !== first!.length)
      throw new ShapeError(
        `the components have ${first!.length} and ${c.length} rows; elements need all of them`,
      )
  })
  return (first ?? []).map((_, i) => columns.map((c) => c[i]!))
}

/**
 * A queue that each session keeps between runs. Its methods build nodes; running these does the work. Those of one run on one device are done
 * one after the other, in the order of their dependencies and otherwise as they are fetched, and what waits holds up all that comes after it.
 * So a run must not wait for itself: where it puts in and takes out, let the one that comes second wait for the first
 * (`controlDependencies`), or run them side by side: `Promise.all([session.run(queue.enqueue(...)), session.run(queue.dequeue())])`.
 */
export class Queue {
  readonly resource: QueueResource
  constructor(resource: QueueResource) {
    this.resource = resource
  }
  /** Unique among the resources of a graph. */
  get name(): string {
    return this.resource.name
  }
  /** Puts in one element; waits for room. A run of it throws ClosedError when the queue is closed. */
  enqueue(components: readonly TensorLike[]): Node {
    return this.put(components, false)
  }
  /** Puts in one element for each row of the components, in order; an aborted wait leaves in what had room. */
  enqueueMany(components: readonly TensorLike[]): Node {
    return this.put(components, true)
  }
  /** Takes one element; waits for it. A run of it throws ClosedError when the queue is closed and empty. */
  dequeue(): readonly Tensor[] {
    return this.build(() => dequeueOp({ resource: this.resource, name: 'dequeue' }))
  }
  /** Takes `count` elements, stacked: [count, ...shape]; all or, when the queue is closed and too short (ClosedError) or the wait is aborted, none. */
  dequeueMany(count: number): readonly Tensor[] {
    return this.build(() => dequeueManyOp({ resource: this.resource, count, name: 'dequeueMany' }))
  }
  /** As `dequeueMany`, but a closed queue gives what it has left; ClosedError when that is nothing. */
  dequeueUpTo(count: number): readonly Tensor[] {
    return this.build(() =>
      dequeueManyOp({ resource: this.resource, count, upTo: true, name: 'dequeueUpTo' }),
    )
  }
  /** Lets no more elements in. `cancelPending` (default false) fails the enqueues that wait for room. */
  close(options: { readonly cancelPending?: boolean } = {}): Node {
    return this.build(() =>
      makeNode(closeOp.def, [], { resource: this.resource, cancelPending: options.cancelPending }, 'close'),
    )
  }
  /** The number of elements at the moment, int32. */
  size(): Tensor {
    return this.build(() => sizeOp({ resource: this.resource, name: 'size' }))
  }
  /** Was it closed? */
  isClosed(): Tensor {
    return this.build(() => isClosedOp({ resource: this.resource, name: 'isClosed' }))
  }
  private put(components: readonly TensorLike[], many: boolean): Node {
    const tensors = components.map((c, i) => toTensor(c, this.resource.types[i]?.dtype))
    return this.build(() =>
      makeNode(enqueueOp.def, tensors, { resource: this.resource, many }, many ? 'enqueueMany' : 'enqueue'),
    )
  }
  private build<T>(make: () => T): T {
    return named(`${this.resource.name}/`, make)
  }
}

let unnamed = 0

interface QueueSpec {
  readonly types: readonly TensorType[]
  readonly capacity: number
  readonly name?: string
}

function queue({ types, capacity, name }: QueueSpec, shuffle?: QueueResource['shuffle']): Queue {
  const full = surroundings().prefix + (name ?? `queue_${unnamed++}`)
  const least = shuffle?.minAfterDequeue ?? 0
  if (!Number.isInteger(capacity) || capacity < 1)
    throw new AttrError(`queue '${full}': capacity ${capacity} must be a whole number, at least 1`)
  if (!Number.isInteger(least) || least < 0 || least >= capacity)
    throw new AttrError(
      `queue '${full}': minAfterDequeue ${least} must be a whole number below the capacity ${capacity}`,
    )
  return new Queue({ kind: 'queue', name: full, types, capacity, ...(shuffle && { shuffle }) })
}

/** A queue whose elements leave in the order in which they came. @param spec.types of the components of one element. @throws AttrError */
export const fifoQueue = (spec: QueueSpec): Queue => queue(spec)

/**
 * A queue whose elements leave in random order, and only while more than `minAfterDequeue` remain or it is closed.
 * @param spec.seed default 0; the same seed, and the same order of operations, give the same order of elements.
 * @throws AttrError
 */
export const shuffleQueue = ({
  seed = 0,
  minAfterDequeue = 0,
  ...spec
}: QueueSpec & { readonly seed?: number; readonly minAfterDequeue?: number }): Queue =>
  queue(spec, { seed, minAfterDequeue })
