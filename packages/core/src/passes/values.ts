// What is known of values before anything runs: constants, and tensors in which every element is the same.
import { isPure } from '../graph/effects.ts'
import type { Tensor } from '../graph/graph.ts'
import type { NDArray } from '../ndarray.ts'
import { getElement } from '../ndarray.ts'
import type { Dim, Shape } from '../shape.ts'
import { isConcrete, sizeOf, unknown } from '../shape.ts'
import { broadcastTo } from '../ops/array/broadcastTo.ts'
import { expandDims, squeeze } from '../ops/array/expandDims.ts'
import { fill } from '../ops/array/fill.ts'
import { reshape } from '../ops/array/reshape.ts'
import { transpose } from '../ops/array/transpose.ts'

/** The value of a constant; undefined for everything else. */
export function constantValue(t: Tensor): NDArray | undefined {
  const { body } = t.node.op
  return body.kind === 'runtime' && body.role === 'constant' ? (t.node.attrs['value'] as NDArray) : undefined
}

/** Is it made of nothing but attributes: a constant, or a formula over indices? */
export function isConstantLike(t: Tensor): boolean {
  const { body } = t.node.op
  return (
    constantValue(t) !== undefined || (body.kind === 'scalar' && t.node.inputs.length === 0 && isPure(t.node))
  )
}

const spreading = new Set([broadcastTo.def, expandDims.def, squeeze.def, reshape.def, transpose.def])
const uniform = new WeakMap<NDArray, number | bigint | undefined>()

/** The value of all elements, when they are known and the same; booleans as 0 and 1. */
export function uniformValue(t: Tensor): number | bigint | undefined {
  let source = t
  while (spreading.has(source.node.op)) source = source.node.inputs[0]!
  if (source.node.op === fill.def)
    return source.dtype === 'int64'
      ? exactBigInt(source.node.attrs['value'])
      : Number(source.node.attrs['value'])
  const value = constantValue(source)
  if (!value || value.dtype === 'string' || value.size === 0) return undefined
  if (!uniform.has(value)) uniform.set(value, sameElement(value))
  return uniform.get(value)
}

const exactBigInt = (value: unknown): bigint | undefined =>
  Number.isSafeInteger(value) ? BigInt(value as number) : undefined

function sameElement(value: NDArray): number | bigint | undefined {
  const at = (i: number): number | bigint => {
    const element = getElement(value.dtype, value.data, i)
    return typeof element === 'bigint' ? element : Number(element)
  }
  const first = at(0)
  for (let i = 1; i < value.size; i++) if (!Object.is(at(i), first)) return undefined
  return first
}

/** Are all elements known to be this number? -0 is 0. */
export function isUniform(t: Tensor, value: number): boolean {
  const known = uniformValue(t)
  return known !== undefined && Number(known) === value
}

/** Are two sizes certainly equal? An unknown one is equal to nothing. */
export const sameDim = (a: Dim, b: Dim): boolean => a === b && a !== unknown
/** Are two shapes certainly equal? */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => sameDim(d, b[i]!))
/** Have two tensors certainly the same dtype and shape? */
export const sameType = (a: Tensor, b: Tensor): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape)
/** The number of elements; infinite while a size is not known. */
export const elementsOf = ({ shape }: Tensor): number => (isConcrete(shape) ? sizeOf(shape) : Infinity)
