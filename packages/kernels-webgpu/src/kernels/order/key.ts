// Numbers as u32 that are ordered as the numbers are: NaN above all others, and both zeros alike.
import type { DType } from '@shoal/core'
import { isNaN } from '../../wgsl/half.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader, WgslFunction } from '../../wgsl/shader.ts'

const orderedKey: WgslFunction = {
  name: 'ordered_key',
  needs: [isNaN],
  code: `
fn ordered_key(x: f32) -> u32 {
  if (is_nan(x)) { return 0xffffffffu; }
  let bits = bitcast<u32>(x);
  // Negative numbers grow as their magnitudes shrink. Minus zero has nothing but a sign.
  if (bits >= 0x80000000u) { return select(~bits, 0x80000000u, bits == 0x80000000u); }
  return bits | 0x80000000u;
}`,
}

/** The key of a value of a dtype. */
export function keyOf(shader: Shader, dtype: DType, value: string): string {
  switch (scalarType(dtype)) {
    case 'f32':
      return `${shader.include(orderedKey)}(${value})`
    case 'i32':
      return `(bitcast<u32>(${value}) ^ 0x80000000u)`
    case 'u32':
      return value
    case 'bool':
      return `select(0u, 1u, ${value})`
  }
}
