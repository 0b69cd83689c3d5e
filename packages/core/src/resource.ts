// Resources: named state that outlives a step. A graph only refers to them; a session holds what is in them.
import type { Tensor } from './graph/graph.ts'
import type { TensorType } from './shape.ts'

/**
 * State that a session keeps between runs, found by its kind and name. Two of one graph never share a name, but for random streams; two
 * graphs of a session may, where they declare the same.
 */
export interface Resource {
  readonly kind: 'variable' | 'queue' | 'mutex' | 'random' | 'accumulator' | 'progress'
  readonly name: string
}

/** What a variable is of a larger one: its row i is row `start + i · stride` of the `rows` rows of the variable called `of`. */
export interface VariableSlice {
  readonly of: string
  readonly rows: number
  readonly start: number
  readonly stride: number
}

/** The declaration of a variable. */
export interface VariableResource extends Resource {
  readonly kind: 'variable'
  readonly type: TensorType
  /** What `session.initialize` assigns; absent when only a checkpoint can fill it. */
  readonly initial?: Tensor
  /** Do optimizers change it? */
  readonly trainable: boolean
  /** Present: it is a part of a larger variable, as whose rows checkpoints hold it. */
  readonly slice?: VariableSlice
}

/** The declaration of a queue of tuples of tensors. */
export interface QueueResource extends Resource {
  readonly kind: 'queue'
  readonly types: readonly TensorType[]
  /** Enqueuing waits while it holds so many elements. */
  readonly capacity: number
  /** Present: elements leave in random order, and only while more than `minAfterDequeue` remain or the queue is closed. */
  readonly shuffle?: { readonly seed: number; readonly minAfterDequeue: number }
}

/** The declaration of a mutual exclusion lock. */
export interface MutexResource extends Resource {
  readonly kind: 'mutex'
}

/** What an accumulator gathers: gradients of this type, with sizes that are known. */
export interface GradientType extends TensorType {
  /**
   * Present: they come as rows along axis 0 (IndexedSlices), and this is how many different ones a set may have, all contributions together;
   * the mean has so many, those that are not needed with index -1.
   */
  readonly rows?: number
}

/** The declaration of an accumulator of gradients, one for each type. */
export interface AccumulatorResource extends Resource {
  readonly kind: 'accumulator'
  readonly types: readonly GradientType[]
  /** How many contributions make a set, until that is changed. */
  readonly count: number
  /** true: at no step until one is set. Otherwise it begins at step 0. */
  readonly held: boolean
}

/** The declaration of a count of steps for each member of a group. */
export interface ProgressResource extends Resource {
  readonly kind: 'progress'
  /** Members are numbered from 0 to this, exclusive. At first all of them count. */
  readonly members: number
}

/** A stream of random keys: each draw answers a new key, in an order that the session's seed fixes. A session numbers streams of one name. */
export interface RandomResource extends Resource {
  readonly kind: 'random'
  /** Left out: what follows from the name, `streamSeed`. */
  readonly seed?: number
}

/** The seed of a stream: its own, or the FNV-1a hash (32 bits) of its name. */
export const streamSeed = ({ seed, name }: RandomResource): number =>
  seed ?? Array.from(name).reduce((h, c) => Math.imul(h ^ c.codePointAt(0)!, 16777619), 2166136261 | 0) >>> 0

/** Every resource that a graph may refer to. */
export type AnyResource =
  | VariableResource
  | QueueResource
  | MutexResource
  | RandomResource
  | AccumulatorResource
  | ProgressResource

/** Is this attribute value a resource? */
export const isResource = (value: unknown): value is AnyResource =>
  typeof value === 'object' && value !== null && 'kind' in value && 'name' in value
