import { expect, it } from 'vitest'
import { ModuleBuilder } from '../wasm/index.ts'
import { microKernel } from './index.ts'

it('follows segments of A, as a convolution needs them', () => {
  // A 3x3 kernel over an image of 7 columns and 2 channels: 3 runs of 6 numbers, one image row apart.
  const [rows, columns, k, segments, imageRow] = [4, 6, 6, 3, 14]
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1 })
  const spec = {
    element: 'f32',
    rows,
    columns,
    k,
    aRow: 2 * 4,
    aK: 4,
    bK: columns * 4,
    bPadded: false,
    cRow: columns * 4,
    segments,
    aSegment: imageRow * 4,
    relaxed: false,
  } as const
  for (const unroll of [1, 4, 8]) module.export(microKernel(module, { ...spec, unroll }), `run${unroll}`)
  const memory = new WebAssembly.Memory({ initial: 1 })
  const { exports } = new WebAssembly.Instance(module.compile(), { env: { memory } })
  const image = new Float32Array(memory.buffer, 0, 3 * imageRow).map((_, i) => Math.sin(i))
  const weights = new Float32Array(memory.buffer, 1024, segments * k * columns).map((_, i) => Math.cos(i))
  new Float32Array(memory.buffer).set(image)
  new Float32Array(memory.buffer).set(weights, 256)
  for (const unroll of [1, 4, 8]) {
    const result = new Float32Array(memory.buffer, 4096, rows * columns).fill(1)
    const run = exports[`run${unroll}`] as (...numbers: number[]) => void
    run(0, 1024, 4096, 0)
    run(0, 1024, 4096, 1)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0
        for (let s = 0; s < segments; s++)
          for (let p = 0; p < k; p++)
            sum +=
              (image[s * imageRow + i * 2 + p] as number) * (weights[(s * k + p) * columns + j] as number)
        expect(result[i * columns + j]).toBeCloseTo(2 * sum, 4)
      }
  }
})
