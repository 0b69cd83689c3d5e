// What this engine's WebAssembly can do, found by asking it to validate one tiny module per feature.
import type { FunctionBuilder } from './function.ts'
import { atomic } from './memory.ts'
import { ModuleBuilder } from './module.ts'
import { f32x4 } from './simd.ts'

/** Features that differ between engines; kernels need `simd`, the others are optional. */
export interface Features {
  /** 128-bit vectors. */
  readonly simd: boolean
  /** Relaxed vectors: fused multiply-add. */
  readonly relaxedSimd: boolean
  /** Shared memory and atomics. In a browser the page must also be cross-origin isolated. */
  readonly threads: boolean
}

let detected: Features | undefined

/** The features of this engine; found once and remembered. */
export function features(): Features {
  detected ??= {
    simd: validates((f) => f.do(f32x4.const(1))),
    relaxedSimd: validates((f) => {
      const x = f.local('v128')
      f.do(f32x4.relaxed_madd(x, x, x))
    }),
    threads: validates((f) => f.do(atomic.i32_load(0)), true),
  }
  return detected
}

function validates(body: (f: FunctionBuilder<'none'>) => void, shared = false): boolean {
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 1, shared })
  module.define('probe', [], 'none', body)
  return WebAssembly.validate(module.build())
}
