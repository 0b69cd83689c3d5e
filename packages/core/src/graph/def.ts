// GraphDef: a graph as versioned JSON, to be stored, sent and read by people. This file says what it looks like.
import type { DType } from '../dtype.ts'
import type { VariableSlice } from '../resource.ts'
import type { Dim } from '../shape.ts'

/** The value of `format` in every GraphDef. */
export const graphDefFormat = 'shoal-graph'
/** The version that is written; no other is read. */
export const graphDefVersion = 1

/** A graph as JSON. */
export interface GraphDef {
  readonly format: typeof graphDefFormat
  readonly version: number
  /** Everything that nodes refer to by name as their resource. */
  readonly resources: readonly ResourceDef[]
  readonly graph: BodyDef
  /** One name for each fetch of the graph. */
  readonly fetchNames: readonly string[]
}

/** Nodes in dependency order, and what of them is wanted. Tensors are `name:index`. */
export interface BodyDef {
  readonly nodes: readonly NodeDef[]
  readonly fetches: readonly string[]
  /** Names of nodes. */
  readonly targets: readonly string[]
  /** Of bodies of control flow: their parameters. */
  readonly params?: readonly string[]
}

/** One node. What is left out is empty. */
export interface NodeDef {
  /** Unique in its body. */
  readonly name: string
  readonly op: string
  /** `name:index` of an earlier node. */
  readonly inputs?: readonly string[]
  /** `^name` of an earlier node. */
  readonly control?: readonly string[]
  readonly device?: string
  readonly attrs?: Readonly<Record<string, AttrDef>>
}

/** The value of an attribute; how it is to be read follows from how the op declares it. */
export type AttrDef =
  | number
  | boolean
  | string
  | readonly (number | string)[]
  | ArrayDef
  | BodyDef
  | readonly BodyDef[]

/** An array: its elements as base64 of their little-endian bytes, or as strings. */
export type ArrayDef =
  | { readonly dtype: Exclude<DType, 'string'>; readonly shape: readonly number[]; readonly base64: string }
  | { readonly dtype: 'string'; readonly shape: readonly number[]; readonly strings: readonly string[] }

/** The type of a tensor. */
export interface TypeDef {
  readonly dtype: DType
  readonly shape: readonly Dim[]
}

/** A resource. `initial` is the tensor, `name:index` in the graph, that a variable begins with. */
export type ResourceDef =
  | {
      readonly kind: 'variable'
      readonly name: string
      readonly type: TypeDef
      readonly trainable: boolean
      readonly slice?: VariableSlice
      readonly initial?: string
    }
  | {
      readonly kind: 'queue'
      readonly name: string
      readonly types: readonly TypeDef[]
      readonly capacity: number
      readonly shuffle?: { readonly seed: number; readonly minAfterDequeue: number }
    }
  | { readonly kind: 'mutex'; readonly name: string }
  | { readonly kind: 'random'; readonly name: string; readonly seed: number }
  | {
      readonly kind: 'accumulator'
      readonly name: string
      readonly types: readonly (TypeDef & { readonly rows?: number })[]
      readonly count: number
      readonly held: boolean
    }
  | { readonly kind: 'progress'; readonly name: string; readonly members: number }
