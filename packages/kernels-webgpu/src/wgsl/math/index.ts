// The float32 functions that scalar expressions know by name, for shaders: in place of WGSL's own, whose accuracy devices choose.
// The bounds that they state hold where a·b + c is rounded once or twice, quotients are off by 2.5 ulp and square roots by 4, and subnormal
// numbers count as 0; and where compilers rearrange sums and products as if they were exact.
import type { Binary, Unary } from '@shoal/core'
import type { WgslFunction } from '../shader.ts'
import { acos, asin } from './arcSine.ts'
import { atan, atan2 } from './arcTangent.ts'
import { digamma } from './digamma.ts'
import { erf } from './erf.ts'
import { erfc } from './errorComplement.ts'
import { erfinv } from './errorInverse.ts'
import { exp, expm1 } from './exp.ts'
import { cosh, sinh, tanh } from './hyperbolic.ts'
import { acosh, asinh, atanh } from './hyperbolicInverse.ts'
import { log, log1p } from './log.ts'
import { lgamma } from './logGamma.ts'
import { pow } from './pow.ts'
import { rem } from './rem.ts'
import { cos, sin, tan } from './trig.ts'

/** Functions of one number that shaders call. The others are operators, or functions of WGSL that every device computes alike. */
export type UnaryMath = Exclude<
  Unary,
  'neg' | 'abs' | 'sign' | 'not' | 'bitNot' | 'floor' | 'ceil' | 'round' | 'trunc' | 'sqrt'
>

/** Functions of two numbers that shaders call. */
export type BinaryMath = Extract<Binary, 'rem' | 'pow' | 'atan2'>

/** Functions of float32 numbers, by the names of scalar expressions. */
export const mathFunctions: Readonly<Record<UnaryMath | BinaryMath, WgslFunction>> = {
  exp,
  expm1,
  log,
  log1p,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  erf,
  erfc,
  erfinv,
  lgamma,
  digamma,
  pow,
  atan2,
  rem,
}
