// Rows of float64: what linear algebra is made of, whatever the dtype of its matrices.
import type { DType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import { castScalar, toFloat64 } from '../../lower/scalarCast.ts'
import { loadScalar, type ScalarType, storeScalar } from '../../lower/representation.ts'
import {
  f64,
  f64x2,
  type Func,
  i32,
  type Local,
  type ModuleBuilder,
  v128,
  type Value,
} from '../../wasm/index.ts'
import type { KernelOptions } from '../kernelDef.ts'

type Vector = Value<'v128'>

/** -(a · b) + c of two float64, rounded once where that is allowed. */
export const negativeMultiplyAdd = ({ relaxed }: KernelOptions, a: Vector, b: Vector, c: Vector): Vector =>
  relaxed ? f64x2.relaxed_nmadd(a, b, c) : f64x2.sub(c, f64x2.mul(a, b))

/** Takes a multiple of a row off another: their addresses, the factor and the number of elements. */
export type SubtractRow = Func<readonly ['i32', 'i32', 'f64', 'i32'], 'none'>

/** Writes `target -= factor · source`. */
export function subtractRow(module: ModuleBuilder, options: KernelOptions): SubtractRow {
  return module.once(`subtractRow ${options.relaxed}`, () =>
    module.define('subtractRow', ['i32', 'i32', 'f64', 'i32'], 'none', (f, target, source, factor, count) => {
      const factors = f.let(f64x2.splat(factor))
      const whole = f.let(i32.and(count, -8))
      f.forRange(0, whole, 8, () => {
        for (let offset = 0; offset < 64; offset += 16) {
          const row = v128.load(source, offset)
          f.do(
            v128.store(target, negativeMultiplyAdd(options, factors, row, v128.load(target, offset)), offset),
          )
        }
        f.set(target, i32.add(target, 64))
        f.set(source, i32.add(source, 64))
      })
      f.forRange(whole, count, 1, () => {
        f.do(f64.store(target, f64.sub(f64.load(target), f64.mul(factor, f64.load(source)))))
        f.set(target, i32.add(target, 8))
        f.set(source, i32.add(source, 8))
      })
    }),
  )
}

/** Copies elements: addresses of source and target, the number of elements, and the bytes from one to the next of both. */
export type CopyElements = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32'], 'none'>

/** Writes a copy of elements of one dtype as another; one of them is float64. */
export function copyElements(module: ModuleBuilder, from: DType, to: DType): CopyElements {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32'] as const
  return module.once(`copyElements ${from} ${to}`, () =>
    module.define(`copy_${from}_${to}`, types, 'none', (f, source, target, count, step, targetStep) => {
      f.forRange(0, count, 1, () => {
        const x = f.let(toFloat64(f.let<ScalarType>(loadScalar(f, from, source)), dtypes[from].compute))
        const y = to === 'float64' ? x : f.let<ScalarType>(castScalar(module, f, x, 'float64', to))
        f.do(storeScalar(f, to, target, y))
        f.set(source, i32.add(source, step))
        f.set(target, i32.add(target, targetStep))
      })
    }),
  )
}

/** Bytes of float64. */
export const wide = 8

/** Element `index` of a row of float64. */
export const wideAt = (row: Value<'i32'>, index: Value<'i32'> | number): Value<'i32'> =>
  i32.add(row, i32.mul(index, wide))

/** An address that is used more than once. */
export type Address = Local<'i32'>
