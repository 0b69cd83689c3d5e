// A case: one use of an op with its inputs; every device must answer what the reference device answers, and that must be right.
import type { DType, NDArray, Nested, Tensor, TypedArray } from '@shoal/core'
import { ValueError } from '@shoal/core'
import type { InputSpec } from './inputs.ts'
import { generate } from './inputs.ts'
import { Random } from './random.ts'

/** What a case builds: one tensor, several, or several with names. */
export type Outputs = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>
/** The expected value of one tensor: nested arrays and NDArrays also state the shape, typed arrays only the elements. */
export type Expected = Nested | NDArray | TypedArray
/** Expected values in the structure of `Outputs`. */
export type ExpectedOutputs = Expected | readonly Expected[] | Readonly<Record<string, Expected>>

interface CaseFacts<K extends string> {
  /** What is special about this use, unique among the cases of its first op: 'last axis', 'broadcasts a row'. */
  readonly name: string
  /**
   * Which inputs to differentiate by. Default true: all float inputs, if there are any and an output is float. `false` where the op
   * has no gradient; a list where only some inputs have one.
   */
  readonly grad?: boolean | readonly K[]
  /** Is the gradient of the gradient checked too? Default false. */
  readonly secondOrder?: boolean
  /** Default ['float32']; the case runs once for each. Inputs without a dtype of their own take it. */
  readonly dtypes?: readonly DType[]
  /**
   * May the sizes of the inputs be names while the graph is built? Default true: the case is also built with every size above 1 a name, and must
   * answer the same. `false` where `build` reads sizes, or the meaning needs them.
   */
  readonly symbolic?: boolean
  /** How often the graph runs in one session; `expect` speaks of the last run. Default 1. More than one for ops with state. */
  readonly runs?: number
}

/** The names of the OpDefs that a case stands for. Each must occur in the graph that it builds, or in that of its gradient. */
type Covered =
  | { readonly op: string; readonly ops?: never }
  | { readonly ops: readonly string[]; readonly op?: never }

type CaseSpec<I extends Readonly<Record<string, InputSpec>>> = Covered &
  CaseFacts<Extract<keyof I, string>> & {
    readonly inputs?: I
    /** Builds the outputs on placeholders for the inputs; `dtype` is the one that the case runs in. */
    build(inputs: { readonly [K in keyof I]: Tensor }, dtype: DType): Outputs
    /** The right answer: literal values, or plain JavaScript by another way than the op's. Left out: only devices are compared, and gradients checked. */
    readonly expect?:
      | Expected
      | readonly Expected[]
      | Readonly<Record<string, Expected>>
      | ((inputs: { readonly [K in keyof I]: NDArray }, dtype: DType) => ExpectedOutputs)
  }

/** A case as the suites hold it. */
export interface OpCase extends CaseFacts<string> {
  readonly ops: readonly string[]
  readonly inputs: Readonly<Record<string, InputSpec>>
  build(inputs: Readonly<Record<string, Tensor>>, dtype: DType): Outputs
  expect?(inputs: Readonly<Record<string, NDArray>>, dtype: DType): ExpectedOutputs
}

/** Defines a case; see `OpCase` and the fields of its argument. */
export function opCase<const I extends Readonly<Record<string, InputSpec>> = {}>(spec: CaseSpec<I>): OpCase {
  const { op, ops, expect, inputs, build, ...facts } = spec
  return {
    ...facts,
    ops: ops ?? [op],
    inputs: inputs ?? {},
    build: build as OpCase['build'],
    ...(expect === undefined
      ? {}
      : { expect: (typeof expect === 'function' ? expect : () => expect) as NonNullable<OpCase['expect']> }),
  }
}

/** `Softmax: last axis`. */
export const caseName = ({ ops, name }: OpCase): string => `${ops[0]}: ${name}`

/** The dtypes that a case runs in, one at least. @throws ValueError for an empty list: such a case would check nothing. */
export function dtypesFor({ dtypes = ['float32'], ...opcase }: OpCase): readonly [DType, ...DType[]] {
  const [first, ...others] = dtypes
  if (first === undefined) throw new ValueError(`${caseName(opcase)}: its list of dtypes is empty`)
  return [first, ...others]
}

/** The values of all inputs of a case in one dtype; the same on every call. Casts of the same numbers, so that dtypes compare. */
export function caseInputs(opcase: OpCase, dtype: DType): Record<string, NDArray> {
  return Object.fromEntries(
    Object.entries(opcase.inputs).map(([key, spec]) => [
      key,
      generate(spec, new Random(`${caseName(opcase)} ${key}`), dtype),
    ]),
  )
}
