// What a product computes with: which type its elements and its sums have, and how a sum grows.
import type { DType } from '@shoal/core'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader, WgslFunction } from '../../wgsl/shader.ts'

/** The arithmetic of a product. */
export interface Arithmetic {
  /** WGSL's type of an element. */
  readonly element: 'f32' | 'i32' | 'u32'
  /** WGSL's type of a sum, and the dtype in which partial sums are kept. */
  readonly sum: 'f32' | 'i32' | 'u32'
  readonly partial: 'float32' | 'int32' | 'uint32'
  /** An element is four int8 side by side in a word, and a product the sum of their four products: how that is computed. */
  readonly bytes?: WgslFunction
}

const plain: Readonly<Record<'f32' | 'i32' | 'u32', Arithmetic>> = {
  f32: { element: 'f32', sum: 'f32', partial: 'float32' },
  i32: { element: 'i32', sum: 'i32', partial: 'int32' },
  u32: { element: 'u32', sum: 'u32', partial: 'uint32' },
}

/** Elements of a dtype, each in the type that it is computed in. */
export const arithmeticOf = (dtype: DType): Arithmetic => plain[scalarType(dtype) as 'f32']

/** Four int8 at a time. @param builtin has WGSL its own instruction for that? */
export const byteArithmetic = (builtin: boolean): Arithmetic => ({
  element: 'u32',
  sum: 'i32',
  partial: 'int32',
  bytes: builtin ? builtinByteProduct : byteProduct,
})

/** `sum` grows by a · b: an element by an element, or by each of four. */
export function multiplyAdd(
  shader: Shader,
  { bytes }: Arithmetic,
  sum: string,
  a: string,
  b: string,
  width: 1 | 4,
): void {
  if (!bytes) return shader.line(`${sum} += ${a} * ${b};`)
  const product = shader.include(bytes)
  shader.line(`${sum} += ${product}${width === 4 ? 's' : ''}(${a}, ${b});`)
}

const byFour = `
fn byte_products(a: u32, b: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(byte_product(a, b.x), byte_product(a, b.y), byte_product(a, b.z), byte_product(a, b.w));
}`

const byteProduct: WgslFunction = {
  name: 'byte_product',
  code: `
fn byte_product(a: u32, b: u32) -> i32 {
  let x = bitcast<i32>(a);
  let y = bitcast<i32>(b);
  return extractBits(x, 0u, 8u) * extractBits(y, 0u, 8u) + extractBits(x, 8u, 8u) * extractBits(y, 8u, 8u)
    + extractBits(x, 16u, 8u) * extractBits(y, 16u, 8u) + (x >> 24u) * (y >> 24u);
}${byFour}`,
}

const builtinByteProduct: WgslFunction = {
  name: 'byte_product',
  code: `
fn byte_product(a: u32, b: u32) -> i32 {
  return dot4I8Packed(a, b);
}${byFour}`,
}

/** Four int8 in a word, with 0 for those that are less than 0. */
export const rectifiedBytes: WgslFunction = {
  name: 'rectified_bytes',
  code: `
fn rectified_bytes(word: u32) -> u32 {
  return word & ~(((word >> 7u) & 0x01010101u) * 0xffu);
}`,
}
