// Sums of host arrays, each element type in a loop of its own, and float32 values in 16 bits and back.
import type { TypedArray } from '@shoal/core'
import { NDArray } from '@shoal/core'
import { narrow, widenInPlace } from '../frame/half.ts'
import type { WireType } from '../transport/contract.ts'

/** Arrays that sums are kept in. */
export type SumArray = Float32Array | Float64Array | Int32Array | BigInt64Array

/** target += values. Integers wrap. */
export function addTo(target: SumArray, values: TypedArray): void {
  // One loop for each type: the engine compiles each for that type alone.
  if (target instanceof Float32Array) return addFloats(target, values as Float32Array)
  if (target instanceof Float64Array) return addDoubles(target, values as Float64Array)
  if (target instanceof Int32Array) return addIntegers(target, values as Int32Array)
  const longs = values as BigInt64Array
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + longs[i]!
}

function addFloats(target: Float32Array, values: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + values[i]!
}
function addDoubles(target: Float64Array, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + values[i]!
}
function addIntegers(target: Int32Array, values: Int32Array): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + values[i]!
}

/** target += factor · values, element `i` of the values at `indices[i]` of the target. */
export function addScaledAt(
  target: Float32Array,
  indices: Int32Array,
  values: Float32Array,
  factor: number,
): void {
  for (let i = 0; i < indices.length; i++) target[indices[i]!] = target[indices[i]!]! + factor * values[i]!
}

/** Each element times a factor, which is other than 1 for floats only. */
export function scale(values: SumArray, factor: number): void {
  if (factor === 1 || values instanceof BigInt64Array) return
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor
}

/** Each element divided by a divisor, which is other than 1 for floats only. */
export function divide(values: SumArray, divisor: number): void {
  if (divisor === 1 || values instanceof BigInt64Array) return
  for (let i = 0; i < values.length; i++) values[i] = values[i]! / divisor
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Rounds to 16 bits, as a tensor [n]. */
export const narrowed = (values: Float32Array, wire: WireType): NDArray =>
  new NDArray(wire, [values.length], new Uint16Array(narrow(values, wire).buffer))

/** Widens 16-bit words. */
export function widen(words: Uint16Array, wire: WireType): Float32Array {
  const values = new Float32Array(words.length)
  roomFor(values).set(bytesOf(words))
  widenInPlace(bytesOf(values), wire)
  return values
}

/** Where the 16-bit words of values may be put, to be widened in place: the second half of their memory. */
export const roomFor = (values: Float32Array): Uint8Array => bytesOf(values).subarray(values.byteLength / 2)

/** Widens the words that were put there. */
export const widenRoom = (values: Float32Array, wire: WireType): void => widenInPlace(bytesOf(values), wire)

/** Rounds values to what 16 bits hold, in place. */
export function roundTo(values: Float32Array, wire: WireType): void {
  roomFor(values).set(narrow(values, wire))
  widenRoom(values, wire)
}
