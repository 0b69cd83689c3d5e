import type { ConcreteType } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu } from '../cpu.ts'
import { ModuleBuilder } from '../wasm/index.ts'
import { matmul } from './matmul.ts'

/** A product of these shapes on a device of its own; with a constant B, twice over the memory that was prepared for it. */
async function product(
  aShape: number[],
  bShape: number[],
  constant: boolean,
  threads = 1,
): Promise<{ bits: Uint8Array; prepared: boolean }> {
  await using device = cpu({ threads })
  const type = (shape: number[]): ConcreteType => ({ dtype: 'float32', shape })
  const outShape = [...aShape.slice(0, -1), bShape.at(-1)!]
  const kernel = await device.kernel('MatMul', {
    inputs: [type(aShape), type(bShape)],
    outputs: [type(outShape)],
    attrs: { transposeA: false, transposeB: false },
    ...(constant && { constants: new Set([1]) }),
  })
  const size = (shape: number[]) => shape.reduce((product, length) => product * length, 1)
  const buffers = [aShape, bShape].map((shape) => {
    const buffer = device.alloc(size(shape) * 4)
    const values = Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(i))
    device.write(buffer, new Uint8Array(values.buffer))
    return buffer
  })
  const out = device.alloc(size(outShape) * 4)
  const scratch = kernel.workspaceBytes > 0 ? [device.alloc(kernel.workspaceBytes)] : []
  const { prepared } = kernel
  if (!prepared) {
    const step = await device.sequence!([{ kernel, args: [...buffers, out, ...scratch] }])
    await device.ready()
    step()
    return { bits: await device.read(out), prepared: false }
  }
  const memory = device.alloc(prepared.bytes)
  prepared.launch([...buffers, memory])
  // What was prepared is all that is read of B.
  device.write(buffers[1]!, new Uint8Array(size(bShape) * 4).fill(255))
  kernel.launch([...buffers, out, ...scratch, memory])
  const step = await device.sequence!([{ kernel, args: [...buffers, out, ...scratch, memory] }])
  device.write(out, new Uint8Array(out.bytes))
  step()
  return { bits: await device.read(out), prepared: true }
}

describe('MatMul', () => {
  it('answers the same bits where B is constant', async () => {
    for (const [a, b] of [
      [
        [60, 200],
        [200, 90],
      ],
      [
        [4, 50, 200],
        [200, 90],
      ],
      [
        [4, 140, 200],
        [1, 200, 90],
      ],
      [
        [4, 50, 200],
        [4, 200, 90],
      ],
      [
        [1, 200],
        [200, 90],
      ],
    ] as const)
      expect((await product([...a], [...b], true)).bits).toEqual((await product([...a], [...b], false)).bits)
  })

  it('answers the same bits with any number of threads', async () => {
    const { bits } = await product([32, 300], [300, 256], false)
    for (const threads of [2, 4])
      expect((await product([32, 300], [300, 256], false, threads)).bits).toEqual(bits)
  })

  it('says what units complete of several products, where they divide each evenly', () => {
    const stage = (a: number[], b: number[]) => {
      const outShape = [...a.slice(0, -1), b.at(-1)!]
      const signature = {
        inputs: [a, b].map((shape) => ({ dtype: 'float32' as const, shape })),
        outputs: [{ dtype: 'float32' as const, shape: outShape }],
        attrs: { transposeA: false, transposeB: false },
      }
      const module = new ModuleBuilder()
      module.importMemory({ module: 'env', name: 'memory', initial: 1 })
      return matmul.compile(signature, { relaxed: false }).write(module).at(-1)!
    }
    const attention = stage([8, 4, 64, 32], [8, 4, 32, 64])
    expect(attention.units * attention.finishes!).toBe(8 * 4 * 64 * 64)
    expect(stage([3, 1000, 40], [3, 40, 50]).finishes).toBeUndefined()
    expect(stage([1, 1000, 40], [1, 40, 50]).finishes! % 50).toBe(0)
  })

  it('prepares B where it would be packed, and all products share it', async () => {
    const prepared = async (a: number[], b: number[]) => (await product(a, b, true)).prepared
    expect(await prepared([60, 200], [200, 90])).toBe(true)
    expect(await prepared([4, 140, 200], [1, 200, 90])).toBe(true)
    expect(await prepared([4, 50, 200], [4, 200, 90])).toBe(false)
    expect(await prepared([1, 200], [200, 90])).toBe(false)
  })
})
