// Attributes: what an op is told besides its tensors, each with its type, check, default and one line of documentation.
import type { DType } from './dtype.ts'
import { dtypeNames, isDType } from './dtype.ts'
import type { Subgraph } from './graph/graph.ts'
import { isSubgraph } from './graph/graph.ts'
import { NDArray } from './ndarray.ts'
import type { AnyResource } from './resource.ts'
import { isResource } from './resource.ts'
import type { Dim, Shape } from './shape.ts'

/** All that an attribute can be. Undefined: an optional one that was left out. */
export type AttrValue =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly string[]
  | readonly Dim[]
  | NDArray
  | Subgraph
  | readonly Subgraph[]
  | AnyResource
  | undefined
/** The attributes of a node. */
export type AttrValues = Readonly<Record<string, AttrValue>>

/** How an attribute is declared. `kind` tells serialisers how to write it. */
export interface Attr<T extends AttrValue, Optional extends boolean = boolean> {
  readonly kind: AttrKind
  readonly doc: string
  /** What a value must be, in words, for error messages and the op reference. */
  readonly expects: string
  readonly optional: Optional
  readonly default: T | undefined
  check(value: unknown): value is T
}
/** The kinds of attributes, as serialisers tell them apart. */
export type AttrKind =
  | 'int'
  | 'float'
  | 'bool'
  | 'text'
  | 'ints'
  | 'floats'
  | 'texts'
  | 'dtype'
  | 'shape'
  | 'array'
  | 'graph'
  | 'graphs'
  | 'resource'

/** The declarations of an op's attributes, by name. */
export type AttrSpecs = Readonly<Record<string, Attr<AttrValue>>>
type OptionalKeys<A extends AttrSpecs> = {
  [K in keyof A]: A[K] extends Attr<AttrValue, true> ? K : never
}[keyof A]
type ValueOf<S> = S extends Attr<infer T> ? T : never
/** The attributes as an op sees them: defaults filled in. */
export type AttrsOf<A extends AttrSpecs> = { readonly [K in keyof A]: ValueOf<A[K]> }
/** The attributes as a caller gives them. */
export type AttrArgs<A extends AttrSpecs> = {
  readonly [K in Exclude<keyof A, OptionalKeys<A>>]: ValueOf<A[K]>
} & { readonly [K in OptionalKeys<A>]?: ValueOf<A[K]> | undefined }

const isInt = (v: unknown): v is number => Number.isInteger(v)
const isSize = (v: unknown): v is number => isInt(v) && v >= 0
const isNumber = (v: unknown): v is number => typeof v === 'number'
const isText = (v: unknown): v is string => typeof v === 'string'
const listOf =
  <T>(check: (v: unknown) => v is T) =>
  (v: unknown): v is readonly T[] =>
    Array.isArray(v) && v.every(check)

function declare<T extends AttrValue>(kind: AttrKind, expects: string, check: (v: unknown) => v is T) {
  /** Required without a fallback; with one (which may be undefined) it may be left out. */
  function make(doc: string): Attr<T, false>
  function make(doc: string, fallback: T): Attr<T, true>
  function make(doc: string, fallback: undefined): Attr<T | undefined, true>
  function make(...[doc, ...fallback]: [doc: string, fallback?: T | undefined]): Attr<T | undefined> {
    const optional = fallback.length > 0
    return {
      kind,
      doc,
      expects,
      optional,
      default: fallback[0],
      check: (v): v is T | undefined => (optional && v === undefined) || check(v),
    }
  }
  return make
}

/** Constructors of attribute declarations: `attr.int('the axis to join along')`, `attr.bool('keep axes', false)`. */
export const attr = {
  int: declare('int', 'a whole number', isInt),
  float: declare('float', 'a number', isNumber),
  bool: declare('bool', 'true or false', (v): v is boolean => typeof v === 'boolean'),
  text: declare('text', 'a string', isText),
  ints: declare('ints', 'a list of whole numbers', listOf(isInt)),
  floats: declare('floats', 'a list of numbers', listOf(isNumber)),
  texts: declare('texts', 'a list of strings', listOf(isText)),
  dtype: declare<DType>('dtype', `one of ${dtypeNames.join(', ')}`, isDType),
  /** Sizes may be names; they are bound with the feeds. */
  shape: declare<Shape>(
    'shape',
    "a list of sizes (0 or more) or names of sizes ('batch'; '?' for any)",
    listOf((v): v is Dim => isSize(v) || isText(v)),
  ),
  /** As `shape`, for ops that work out the one size that is -1. */
  openShape: declare<Shape>(
    'shape',
    'a list of sizes (0 or more, -1 for whatever is left) or names of sizes',
    listOf((v): v is Dim => isSize(v) || v === -1 || isText(v)),
  ),
  array: declare<NDArray>('array', 'an NDArray', (v): v is NDArray => v instanceof NDArray),
  graph: declare<Subgraph>('graph', 'a subgraph', isSubgraph),
  graphs: declare<readonly Subgraph[]>('graphs', 'a list of subgraphs', listOf(isSubgraph)),
  resource: declare<AnyResource>('resource', 'a resource', isResource),
  /** One of a closed set of words. */
  oneOf: <const T extends string>(doc: string, words: readonly T[], fallback?: T): Attr<T, true> => ({
    kind: 'text',
    doc,
    expects: `one of ${words.join(', ')}`,
    optional: true,
    default: fallback ?? words[0],
    check: (v): v is T => words.includes(v as T),
  }),
}
