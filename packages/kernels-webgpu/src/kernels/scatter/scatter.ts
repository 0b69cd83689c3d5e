// What a scatter is: index tuples that name slices of x, and how an update changes an element.
import type { Combine, ConcreteType, DType, Signature } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { combined } from '../../lower/combine.ts'
import type { BufferUse } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { sliceOf } from '../move/rows.ts'

/** What happens to an element. */
export type Update = 'set' | 'add' | 'sub' | 'mul' | 'min' | 'max'

/** A scatter of known sizes. */
export interface Scatter {
  readonly x: ConcreteType
  readonly indices: ConcreteType
  readonly update: Update
  /** Elements of x. */
  readonly length: number
  /** Index tuples. */
  readonly count: number
  /** Elements of a slice. */
  readonly width: number
  /** The argument that the answer is. */
  readonly to: number
}

/** The scatter of a signature. */
export function scatterOf({ inputs, attrs }: Signature, to: number): Scatter {
  const [x, indices] = inputs as readonly [ConcreteType, ConcreteType]
  return {
    x,
    indices,
    update: attrs['update'] as Update,
    length: sizeOf(x.shape),
    count: sizeOf(indices.shape.slice(0, -1)),
    width: sizeOf(x.shape.slice(indices.shape.at(-1)!)),
    to,
  }
}

/** The place of tuples that are out of range: it comes after all others. */
export const nowhere = '0xffffffffu'

/** How the tuples are read. */
export const tuplesUse = ({ indices }: Scatter): BufferUse => ({
  arg: 1,
  dtype: indices.dtype,
  length: sizeOf(indices.shape),
  access: 'read',
})

/** How the updates are read, element by element. */
export const updatesUse = ({ x, count, width }: Scatter): BufferUse => ({
  arg: 2,
  dtype: x.dtype,
  length: count * width,
  access: 'read',
})

/** The number of the slice that a tuple names, and the condition under which it names one; the tuples are memory `use`. */
export function placeOf(shader: Shader, { x, indices }: Scatter, use: number, tuple: string) {
  const { from, inside } = sliceOf(shader, x, indices, use, tuple)
  return { place: shader.let(from), inside: shader.let(inside) }
}

/** How the updates of one place become one: what they are subtracted as is their sum. */
export const combineOf = {
  add: 'sum',
  sub: 'sum',
  mul: 'prod',
  min: 'min',
  max: 'max',
} as const satisfies Record<Exclude<Update, 'set'>, Combine>

/** An element after an update, or after several that have become one. NaN is both the least and the greatest. */
export function changed(
  shader: Shader,
  update: Exclude<Update, 'set'>,
  dtype: DType,
  old: string,
  came: string,
): string {
  const minus = dtypes[dtype].kind === 'uint' ? `(0u - ${came})` : `(-${came})`
  return combined(shader, combineOf[update], dtype, old, update === 'sub' ? minus : came)
}
