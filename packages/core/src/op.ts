// Ops: all that is said about one operation stands in one value, made by defineOp, and calling that value builds a node.
import type { Attr, AttrArgs, AttrSpecs, AttrsOf, AttrValue, AttrValues } from './attr.ts'
import type { DType } from './dtype.ts'
import { AttrError, DTypeError, ValueError } from './errors.ts'
import type { Tensor } from './graph/graph.ts'
import { defaultName, Node } from './graph/graph.ts'
import { surroundings } from './graph/scope.ts'
import type { IndexedSlices } from './autodiff/indexedSlices.ts'
import type { Expr } from './ir/expr.ts'
import type { Combine, IndexMap } from './ir/kernel.ts'
import type { NDArray } from './ndarray.ts'
import type { TensorLike } from './ops/constant.ts'
import { toTensors } from './ops/constant.ts'
import type { RunContext } from './run/context.ts'
import type { ConcreteType, TensorType } from './shape.ts'

export { attr } from './attr.ts'

/** Facts that passes and the executor ask for; none of them ever names an op. */
export interface Traits {
  /**
   * What an op does besides computing: `read`s or `write`s the resource in its attributes, or acts on the world (`external`: prints, draws
   * a random key, waits for a queue). Ops with effects are never folded or merged. Those on one variable keep their order, others only that
   * of their dependencies.
   */
  readonly effect?: 'read' | 'write' | 'external'
  /** f(x, y) = f(y, x). */
  readonly commutative?: boolean
  /** f(f(x, y), z) = f(x, f(y, z)), up to rounding. */
  readonly associative?: boolean
  /** Output 0 is input 0 unchanged. */
  readonly identity?: boolean
  /** f(f(x)) = x. */
  readonly involution?: boolean
  /** f(f(x)) = f(x). */
  readonly idempotent?: boolean
  /** Order is kept (`increasing`) or reversed (`decreasing`) strictly or weakly, so max and min pass through. */
  readonly monotone?: 'increasing' | 'decreasing'
  /** Which inputs lend only their shape; their values are never computed for this node. */
  shapeOnly?(input: number): boolean
  /** Ops that check or report and may be switched off in production: Assert, CheckNumerics, Print. */
  readonly debug?: boolean
  /**
   * For ops that the executor runs: it deals with the outside and goes on beside the kernels. What it needs is computed early, it starts as soon
   * as that is there, and only what needs it waits for it.
   */
  readonly overlaps?: boolean
}

/** One T per input; a list of them where the only input is spelled `...xs`. */
type Row<I extends readonly string[], T> = I extends readonly [`...${string}`]
  ? readonly T[]
  : { readonly [K in keyof I]: T }
/** The names of an op's outputs, or 'list' where their number depends on the attributes. */
export type OutputNames = readonly string[] | 'list'
type Result<O extends OutputNames> = O extends readonly [string]
  ? Tensor
  : O extends readonly string[]
    ? { readonly [K in keyof O]: Tensor }
    : readonly Tensor[]

/** Where a scalar expression stands: the loop counters of the output, and the concrete types around it. */
export interface ScalarContext {
  /** The index of the element along each output axis, int32. */
  readonly at: readonly Expr[]
  readonly inputs: readonly ConcreteType[]
  readonly output: ConcreteType
}

/** What the executor itself does for an op, or `host`: the op's own `run` on host values. */
export type RuntimeRole =
  | 'constant'
  | 'feed'
  | 'parameter'
  | 'blank'
  | 'readVariable'
  | 'assign'
  | 'scatter'
  | 'group'
  | 'case'
  | 'while'
  | 'scan'
  | 'call'
  | 'send'
  | 'recv'
  | 'host'

/** What computes an op. Exactly one kind; the first four need no kernel anywhere. */
export type Body<I extends readonly string[] = readonly string[], A extends AttrSpecs = AttrSpecs> =
  /** One expression per output element; inputs broadcast. */
  | { readonly kind: 'scalar'; expr(args: Row<I, Expr>, attrs: AttrsOf<A>, context: ScalarContext): Expr }
  /** Where in input 0 each output element is read. */
  | {
      readonly kind: 'view'
      map(at: readonly Expr[], input: ConcreteType, attrs: AttrsOf<A>, output: ConcreteType): IndexMap
    }
  /** Input 0 combined over axes. */
  | {
      readonly kind: 'reduce'
      readonly combine: Combine
      axes(attrs: AttrsOf<A>, input: TensorType): readonly number[]
    }
  /** Built of other ops once all sizes are known. */
  | {
      readonly kind: 'composite'
      build(inputs: Row<I, Tensor>, attrs: AttrsOf<A>): Tensor | readonly Tensor[]
    }
  /**
   * Hand-written per device; the reference device has one for each. `flops`: additions and multiplications that it takes, where that can be said.
   * `reads`: how many elements it reads of each input, where that is not all of them, or more than there are.
   */
  | {
      readonly kind: 'kernel'
      reads?(inputs: readonly ConcreteType[], outputs: readonly ConcreteType[]): readonly number[]
      flops?(inputs: readonly ConcreteType[], outputs: readonly ConcreteType[], attrs: AttrsOf<A>): number
    }
  /** The executor itself. `run` computes host values from host values; it may wait. Output sizes that `infer` leaves unknown are taken from the answer. */
  | {
      readonly kind: 'runtime'
      readonly role: RuntimeRole
      run?(
        inputs: readonly NDArray[],
        attrs: AttrsOf<A>,
        context: RunContext,
      ): readonly NDArray[] | Promise<readonly NDArray[]>
    }

/** What flows back to an input: a tensor, rows of one, or nothing. */
export type Gradient = Tensor | IndexedSlices

/** What a gradient rule may use. */
export interface GradContext<
  I extends readonly string[] = readonly string[],
  A extends AttrSpecs = AttrSpecs,
> {
  readonly inputs: Row<I, Tensor>
  readonly outputs: readonly Tensor[]
  readonly attrs: AttrsOf<A>
  /** The gradient of each output; undefined where nothing depends on it. */
  readonly dys: readonly (Tensor | undefined)[]
  /** The gradient of output 0; zeros where nothing depends on it. */
  readonly dy: Tensor
  readonly node: Node
}

/** All that is said about one op, in one file. */
export interface OpSpec<I extends readonly string[], A extends AttrSpecs, O extends OutputNames> {
  /** CamelCase and unique among the ops of a graph. */
  readonly name: string
  readonly doc: string
  /** Names of the inputs; a last one spelled `'...xs'` stands for any number of them. */
  readonly inputs: I
  /** Dtypes that each input takes (the last row counts for the rest); left out: any dtype. */
  readonly dtypes?: readonly (readonly DType[])[]
  /** The dtype that a plain number given for an input becomes; left out: that of the first tensor among the inputs. */
  readonly literals?: { readonly [K in I[number]]?: DType }
  readonly attrs?: A
  readonly outputs?: O
  readonly traits?: Traits
  /** Types of the outputs. Throws ShapeError, DTypeError or AttrError with what is wrong and the remedy. */
  infer(inputs: Row<I, TensorType>, attrs: AttrsOf<A>): readonly TensorType[]
  /** Per input, its gradient; null where there is none. Left out: composites differentiate through their parts, other ops not at all. */
  grad?(context: GradContext<I, A>): Row<I, Gradient | null>
  /** For ops that hold subgraphs: the types of the parameters of each, by attribute. */
  subgraphs?(
    inputs: readonly TensorType[],
    attrs: AttrsOf<A>,
  ): Readonly<Record<string, readonly (readonly TensorType[])[]>>
  readonly body: Body<I, A>
}

/** The type-erased view that graphs and passes hold. */
export interface OpDef {
  readonly name: string
  readonly doc: string
  readonly inputs: readonly string[]
  readonly outputs: OutputNames
  readonly variadic: boolean
  readonly dtypes: readonly (readonly DType[])[]
  readonly literals: Readonly<Record<string, DType | undefined>>
  readonly attrs: AttrSpecs
  readonly traits: Traits
  readonly body: Body
  infer(inputs: readonly TensorType[], attrs: AttrValues): readonly TensorType[]
  grad?(context: GradContext): readonly (Gradient | null)[]
  subgraphs?(
    inputs: readonly TensorType[],
    attrs: AttrValues,
  ): Readonly<Record<string, readonly (readonly TensorType[])[]>>
}

type Named = { readonly name?: string | undefined }
type AttrTail<A extends AttrSpecs> =
  {} extends AttrArgs<A> ? [attrs?: AttrArgs<A> & Named] : [attrs: AttrArgs<A> & Named]
type Call<I extends readonly string[], A extends AttrSpecs> = I extends readonly [`...${string}`]
  ? [inputs: readonly TensorLike[], ...attrs: AttrTail<A>]
  : [...inputs: { readonly [K in keyof I]: TensorLike }, ...attrs: AttrTail<A>]
/** An op is its own builder: `matmul(a, b)` adds a node and answers its output(s); `matmul.def` is the definition. */
export type Op<
  I extends readonly string[] = readonly string[],
  A extends AttrSpecs = AttrSpecs,
  O extends OutputNames = OutputNames,
> = ((...args: Call<I, A>) => Result<O>) & { readonly def: OpDef }

/** Anything that has an OpDef: what lists of ops hold. */
export interface AnyOp {
  readonly def: OpDef
}

/** Defines an op. The answer is called with the inputs, then the attributes and optionally `name`. */
export function defineOp<
  const I extends readonly string[],
  const A extends AttrSpecs = {},
  const O extends OutputNames = readonly ['y'],
>(spec: OpSpec<I, A, O>): Op<I, A, O> {
  const variadic = spec.inputs.at(-1)?.startsWith('...') ?? false
  const def = {
    outputs: ['y'],
    dtypes: [],
    literals: {},
    attrs: {},
    traits: {},
    ...spec,
    variadic,
  } as unknown as OpDef
  const build = (...args: readonly unknown[]): Tensor | readonly Tensor[] => {
    const given = (variadic ? args[0] : args.slice(0, def.inputs.length)) as readonly TensorLike[]
    const { name, ...rest } = (args[variadic ? 1 : def.inputs.length] ?? {}) as Record<string, AttrValue> &
      Named
    const node = makeNode(def, toTensors(given, def), rest, name)
    return def.outputs !== 'list' && def.outputs.length === 1 ? node.outputs[0]! : node.outputs
  }
  return Object.assign(build, { def }) as unknown as Op<I, A, O>
}

/** A checked node: attributes have their defaults and types, inputs their number and dtypes. @throws AttrError, DTypeError, ValueError, ShapeError. */
export function makeNode(
  op: OpDef,
  inputs: readonly Tensor[],
  given: Readonly<Record<string, AttrValue>> = {},
  name?: string,
): Node {
  const speaker = { op, name: name === undefined ? defaultName(op) : scoped(name) }
  if (op.variadic ? inputs.length < op.inputs.length - 1 : inputs.length !== op.inputs.length)
    throw new ValueError(`takes ${op.inputs.length} inputs (${op.inputs.join(', ')}), got ${inputs.length}`, {
      node: speaker,
    })
  inputs.forEach((t, i) => {
    const allowed = op.dtypes[Math.min(i, op.dtypes.length - 1)]
    if (allowed && !allowed.includes(t.dtype))
      throw new DTypeError(
        `input ${op.variadic ? i : `'${op.inputs[i]}'`} is ${t.dtype}; it takes ${allowed.join(', ')}: cast it first`,
        { node: speaker },
      )
  })
  for (const key of Object.keys(given))
    if (!Object.hasOwn(op.attrs, key))
      throw new AttrError(`has no attribute '${key}'; it has ${Object.keys(op.attrs).join(', ') || 'none'}`, {
        node: speaker,
      })
  const attrs: Record<string, AttrValue> = {}
  for (const [key, declared] of Object.entries<Attr<AttrValue>>(op.attrs)) {
    const value = given[key] ?? declared.default
    if (!declared.check(value))
      throw new AttrError(
        `attribute '${key}' (${declared.doc}) must be ${declared.expects}, got ${describe(value)}`,
        { node: speaker },
      )
    if (value !== undefined) attrs[key] = value
  }
  return new Node(op, inputs, attrs, { name: name === undefined ? undefined : scoped(name) })
}

const scoped = (name: string): string => surroundings().prefix + name
const describe = (value: unknown): string =>
  value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value)
