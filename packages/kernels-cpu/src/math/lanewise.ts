// Functions without a vector form: an imported scalar of float64 is called for each lane.
import {
  call,
  f32,
  f32x4,
  f64,
  f64x2,
  type Func,
  type Local,
  type ModuleBuilder,
  type Value,
} from '../wasm/index.ts'

/** A scalar function from outside: float64 in and out. */
export type ScalarFunction<Params extends readonly 'f64'[] = readonly 'f64'[]> = Func<Params, 'f64'>

/** The same with a vector for each number. */
export type VectorFunction<Params extends readonly 'f64'[]> = Func<{ [I in keyof Params]: 'v128' }, 'v128'>

/**
 * Makes a vector function of a scalar one that the module imports (or defines). With 'f32x4' the numbers are widened
 * for the call and rounded after it, so that float32 results are as good as the scalar function. Made once per module.
 */
export function lanewise<const Params extends readonly 'f64'[]>(
  module: ModuleBuilder,
  scalar: ScalarFunction<Params>,
  shape: 'f32x4' | 'f64x2',
): VectorFunction<Params> {
  return module.once(`lanewise ${shape} ${scalar.name} ${scalar.params.length}`, () => {
    const vectors = scalar.params.map(() => 'v128' as const)
    const write = shape === 'f32x4' ? singles : doubles
    const made = module.define(`${scalar.name}_${shape}`, vectors, 'v128', (f, ...arguments_) => {
      const result = f.local('v128')
      for (const next of write(scalar, arguments_, result)) f.set(result, next)
      return result
    })
    return made as unknown as VectorFunction<Params>
  })
}

type Writer = (
  scalar: ScalarFunction,
  vectors: readonly Local<'v128'>[],
  result: Local<'v128'>,
) => Value<'v128'>[]

const singles: Writer = (scalar, vectors, result) =>
  [0, 1, 2, 3].map((lane) => {
    const numbers = vectors.map((vector) => f64.promote_f32(f32x4.extract_lane(vector, lane)))
    return f32x4.replace_lane(result, f32.demote_f64(call(scalar, ...numbers)), lane)
  })

const doubles: Writer = (scalar, vectors, result) =>
  [0, 1].map((lane) => {
    const numbers = vectors.map((vector) => f64x2.extract_lane(vector, lane))
    return f64x2.replace_lane(result, call(scalar, ...numbers), lane)
  })
