// The float32 functions by name: written in place with `Lanes`, or as functions of a module with `vectorMath`.
import type { Func, ModuleBuilder } from '../wasm/index.ts'
import { atan, atan2 } from './arcTangent.ts'
import { acos, asin } from './arcSine.ts'
import { erf } from './erf.ts'
import { erfc } from './errorComplement.ts'
import { erfinv } from './errorInverse.ts'
import { exp, expm1, sigmoid } from './exp.ts'
import { cosh, sinh, tanh } from './hyperbolic.ts'
import { acosh, asinh, atanh } from './hyperbolicInverse.ts'
import { type LaneFunction, type LaneFunction2, Lanes, type Vector } from './lanes.ts'
import { log, log1p } from './log.ts'
import { pow } from './pow.ts'
import { cos, sin, tan } from './trig.ts'

export { mathImports } from './imports.ts'
export { type LaneFunction, type LaneFunction2, Lanes, type Vector } from './lanes.ts'
export { lanewise } from './lanewise.ts'

/** Names of functions of one argument. */
export type UnaryMath =
  | 'exp'
  | 'expm1'
  | 'sigmoid'
  | 'log'
  | 'log1p'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'erf'
  | 'erfc'
  | 'erfinv'

/** Names of functions of two arguments. */
export type BinaryMath = 'pow' | 'atan2'

/**
 * The functions, to be written in place: `unaryMath.exp(new Lanes(module, f, relaxed), x)`. In a loop this is faster
 * than a call, because the constants stay in registers.
 */
export const unaryMath: Readonly<Record<UnaryMath, LaneFunction>> = {
  exp,
  expm1,
  sigmoid,
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
}

/** The functions of two arguments. */
export const binaryMath: Readonly<Record<BinaryMath, LaneFunction2>> = { pow, atan2 }

/** A function of a module over four float32 lanes; made when it is first asked for. */
export function vectorMath(
  module: ModuleBuilder,
  name: UnaryMath,
  options: { readonly relaxed: boolean },
): Func<readonly ['v128'], 'v128'> {
  return module.once(`vectorMath ${name} ${options.relaxed}`, () =>
    module.define(
      `${name}_f32x4`,
      ['v128'],
      'v128',
      (f, x): Vector => unaryMath[name](new Lanes(module, f, options.relaxed), x),
    ),
  )
}

/** The same for two arguments. */
export function vectorMath2(
  module: ModuleBuilder,
  name: BinaryMath,
  options: { readonly relaxed: boolean },
): Func<readonly ['v128', 'v128'], 'v128'> {
  return module.once(`vectorMath ${name} ${options.relaxed}`, () =>
    module.define(
      `${name}_f32x4`,
      ['v128', 'v128'],
      'v128',
      (f, x, y): Vector => binaryMath[name](new Lanes(module, f, options.relaxed), x, y),
    ),
  )
}
