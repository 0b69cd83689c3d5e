// Comparing values: shapes and dtypes first, then every element, with a message that says where the worst one is.
import type { NDArray, Nested, Scalar, TypedArray } from '@shoal/core'
import { dtypes, getElement, ndarray, NDArray as HostArray } from '@shoal/core'
import { expect } from 'vitest'
import type { Expected } from './case.ts'
import type { Tolerance } from './tolerance.ts'
import { allowance } from './tolerance.ts'

/** @throws AssertionError when a value is further from what was expected than the tolerance allows, or has another shape or dtype. */
export function expectClose(what: string, actual: NDArray, expected: NDArray, tolerance: Tolerance): void {
  if (actual.dtype !== expected.dtype) fail(what, `dtype ${actual.dtype} is not ${expected.dtype}`)
  expectElements(what, actual, expected.shape, elements(expected), tolerance)
}

/** As `expectClose` with values given in JavaScript: nested arrays state the shape, typed arrays only the elements, and neither a dtype. */
export function expectValues(what: string, actual: NDArray, expected: Expected, tolerance: Tolerance): void {
  if (expected instanceof HostArray)
    return expectElements(what, actual, expected.shape, elements(expected), tolerance)
  if (ArrayBuffer.isView(expected))
    return expectElements(
      what,
      actual,
      actual.shape,
      [...(expected as Exclude<TypedArray, BigInt64Array>)],
      tolerance,
    )
  expectElements(what, actual, shapeOf(expected), flat(expected), tolerance)
}

const shapeOf = (nested: Nested): readonly number[] => (Array.isArray(nested) ? ndarray(nested).shape : [])
const flat = (nested: Nested): Scalar[] =>
  Array.isArray(nested) ? (nested as Nested[]).flatMap(flat) : [nested as Scalar]
const elements = (array: NDArray): Scalar[] =>
  Array.from({ length: array.size }, (_, i) => getElement(array.dtype, array.data, i))

function expectElements(
  what: string,
  actual: NDArray,
  shape: readonly number[],
  expected: readonly Scalar[],
  tolerance: Tolerance,
): void {
  if (actual.shape.length !== shape.length || actual.shape.some((d, i) => d !== shape[i]))
    fail(what, `shape [${actual.shape.join(', ')}] is not [${shape.join(', ')}]`)
  if (expected.length !== actual.size)
    fail(what, `${actual.size} elements where ${expected.length} are expected`)
  const scale = Math.max(0, ...expected.map(Number).filter(Number.isFinite).map(Math.abs))
  elements(actual).forEach((value, i) => {
    const wanted = expected[i]!
    if (!close(value, wanted, actual, tolerance, scale))
      fail(
        what,
        `element ${i} of [${shape.join(', ')}] is ${value}, expected ${wanted} (within ${tolerance.units} units)`,
      )
  })
}

function close(
  value: Scalar,
  wanted: Scalar,
  { dtype }: NDArray,
  tolerance: Tolerance,
  scale: number,
): boolean {
  if (dtype === 'string' || typeof value === 'string') return value === wanted
  if (typeof value === 'bigint' && typeof wanted === 'bigint') return value === wanted
  const x = Number(value)
  const y = Number(wanted)
  if (Object.is(x, y) || x === y) return true
  // A value at the rim of the dtype may round to infinity on one side only, but nothing else may differ in kind.
  if (!Number.isFinite(x) || !Number.isFinite(y)) return false
  if (dtypes[dtype].kind !== 'float') return false
  return Math.abs(x - y) <= allowance(tolerance, dtype, y, scale)
}

function fail(what: string, why: string): never {
  expect.fail(`${what}: ${why}`)
}
