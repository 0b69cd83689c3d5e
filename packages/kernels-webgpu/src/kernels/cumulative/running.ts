// Running totals along an axis: the lines that they run along, and how two values become one.
import type { Combine, ConcreteType, DType, Signature } from '@shoal/core'
import { normalizeAxis, sizeOf } from '@shoal/core'
import { combined, neutralLiteral } from '../../lower/combine.ts'
import type { BufferUse } from '../../stage.ts'
import { floatLiteral } from '../../wgsl/literal.ts'
import { mathFunctions } from '../../wgsl/math/index.ts'
import { greatest } from '../../wgsl/scalar.ts'
import type { Shader, WgslFunction } from '../../wgsl/shader.ts'

/** A running total. */
export interface Running {
  readonly dtype: DType
  readonly combine: Combine | 'logSumExp'
  readonly exclusive: boolean
  readonly reverse: boolean
  /** Elements of a line. */
  readonly size: number
  /** The distance between neighbours of a line, which is also the number of lines that lie between each other. */
  readonly step: number
  readonly lines: number
}

/** The running total of a signature. */
export function runningOf({ inputs, attrs }: Signature): Running {
  const [{ dtype, shape }] = inputs as readonly [ConcreteType]
  const axis = normalizeAxis(Number(attrs['axis']), shape.length)
  const step = sizeOf(shape.slice(axis + 1))
  return {
    dtype,
    combine: attrs['combine'] as Running['combine'],
    exclusive: attrs['exclusive'] === true,
    reverse: attrs['reverse'] === true,
    size: shape[axis]!,
    step,
    lines: sizeOf(shape.slice(0, axis)) * step,
  }
}

/** How the elements are read. */
export const elementsUse = ({ dtype, size, lines }: Running): BufferUse => ({
  arg: 0,
  dtype,
  length: size * lines,
  access: 'read',
})

/** Where a line has its first element in the direction of the axis. */
export const beginOf = ({ size, step }: Running, line: string): string =>
  step === 1 ? `${line} * ${size}` : `${line} / ${step} * ${size * step} + ${line} % ${step}`

/** The index of what comes `rank`-th in a line that begins at `begin`. */
export const indexOf = ({ size, step, reverse }: Running, begin: string, rank: string): string =>
  `${begin} + ${reverse ? `(${size - 1} - ${rank})` : rank} * ${step}`

/** The total of nothing. */
export const nothing = (shader: Shader, { combine, dtype }: Running): string =>
  combine === 'logSumExp' ? floatLiteral(shader, -Infinity) : neutralLiteral(shader, combine, dtype)

/** Two totals as one. */
export const joined = (shader: Shader, { combine, dtype }: Running, a: string, b: string): string =>
  combine === 'logSumExp'
    ? `${shader.include(logSumExp)}(${a}, ${b})`
    : combined(shader, combine, dtype, a, b)

const logSumExp: WgslFunction = {
  name: 'log_sum_exp',
  needs: [greatest, mathFunctions.exp, mathFunctions.log1p],
  code: `
fn log_sum_exp(a: f32, b: f32) -> f32 {
  let high = greatest(a, b);
  // Infinite or NaN, to be told by its bits.
  if ((bitcast<u32>(high) & 0x7f800000u) == 0x7f800000u) { return high; }
  // Below e^-104 nothing is left in float32.
  let beyond = max(min(a, b) - high, -104.0);
  return high + ${mathFunctions.log1p.name}(${mathFunctions.exp.name}(beyond));
}`,
}
