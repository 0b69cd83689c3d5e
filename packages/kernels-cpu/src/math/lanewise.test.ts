import { expect, it } from 'vitest'
import { call, f32x4, f64x2, ModuleBuilder, v128 } from '../wasm/index.ts'
import { lanewise } from './index.ts'

it('calls a scalar function for each lane and rounds to the width of the lanes', () => {
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1 })
  const cbrt = module.importFunction('math', 'cbrt', ['f64'], 'f64')
  const hypot = module.importFunction('math', 'hypot', ['f64', 'f64'], 'f64')
  expect(lanewise(module, cbrt, 'f32x4')).toBe(lanewise(module, cbrt, 'f32x4'))
  const run = module.define('run', [], 'none', (f) => {
    f.do(v128.store(0, call(lanewise(module, cbrt, 'f32x4'), v128.load(0))))
    f.do(v128.store(16, call(lanewise(module, hypot, 'f32x4'), v128.load(16), f32x4.const(4))))
    f.do(v128.store(32, call(lanewise(module, cbrt, 'f64x2'), v128.load(32))))
    f.do(v128.store(48, call(lanewise(module, hypot, 'f64x2'), v128.load(48), f64x2.const(0.1))))
  })
  module.export(run)
  const memory = new WebAssembly.Memory({ initial: 1 })
  const singles = new Float32Array(memory.buffer, 0, 8)
  const doubles = new Float64Array(memory.buffer, 32, 4)
  singles.set([2, -27, 0, Number.NaN, 3, -3, 1e30, 0])
  doubles.set([2, -8, 0.2, 7])
  const { exports } = new WebAssembly.Instance(module.compile(), {
    env: { memory },
    math: { cbrt: Math.cbrt, hypot: Math.hypot },
  })
  ;(exports as { run(): void }).run()
  expect([...singles]).toEqual([Math.cbrt(2), -3, 0, Number.NaN, 5, 5, 1e30, 4].map(Math.fround))
  expect([...doubles]).toEqual([Math.cbrt(2), -2, Math.hypot(0.2, 0.1), Math.hypot(7, 0.1)])
})
