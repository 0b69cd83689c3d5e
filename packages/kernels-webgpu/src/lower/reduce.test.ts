// Reductions by subgroups and by halves, alone and split among workgroups, against the meaning of their kernels.
import type { Combine, Device, DType, FusedKernel, TypedArray } from '@shoal/core'
import { allocate, dtypes, E, interpretKernel, sizeOf, viewOf } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import { random, randomData } from '../kernels/agreement.ts'
import { bindingFor } from '../wgsl/memory.ts'
import { Shader } from '../wgsl/shader.ts'
import { webgpu } from '../webgpu.ts'
import { reductionStages } from './reduce.ts'

const device = await webgpu()
const plain = await webgpu({ features: [] })
afterAll(async () => {
  await device[Symbol.asyncDispose]()
  await plain[Symbol.asyncDispose]()
})

/** Two reductions of each row at once, and one that needs the first. */
function rows(axes: readonly [number, number], combine: Combine, dtype: DType): FusedKernel {
  const at = E.add(E.mul(E.axis(0), E.num(axes[1], 'int32')), E.axis(1))
  const x = E.load(0, at, dtype)
  const store = (reduction: number) => ({
    dtype,
    length: axes[0],
    index: E.axis(0),
    value: E.acc(reduction, dtypes[dtype].compute),
  })
  const { compute } = dtypes[dtype]
  return {
    name: 'rows',
    inputs: [{ dtype, length: sizeOf(axes) }],
    axes,
    reduced: 1,
    reductions: [
      { combine, dtype: compute, term: x },
      { combine: 'max', dtype: compute, term: x },
      { combine: 'min', dtype: compute, term: E.max(x, E.acc(0, compute)) },
    ],
    stores: [store(0), store(1), store(2)],
  }
}

async function run(on: Device, kernel: FusedKernel, input: TypedArray): Promise<TypedArray[]> {
  const fused = await on.fuse(kernel)
  const arrays = [input, ...kernel.stores.map(({ dtype, length }) => allocate(dtype, length) as TypedArray)]
  const buffers = arrays.map(({ byteLength }) => on.alloc(byteLength))
  if (fused.workspaceBytes > 0) buffers.push(on.alloc(fused.workspaceBytes))
  on.write(buffers[0]!, new Uint8Array(input.buffer, input.byteOffset, input.byteLength))
  fused.launch(buffers)
  const answers = await Promise.all(
    kernel.stores.map(async ({ dtype, length }, i) => {
      const bytes = await on.read(buffers[i + 1]!, arrays[i + 1]!.byteLength)
      return viewOf(dtype as Exclude<DType, 'string'>, bytes, length) as TypedArray
    }),
  )
  buffers.forEach((buffer) => on.free(buffer))
  return answers
}

const textOf = (kernel: FusedKernel, features: readonly string[]): string[] =>
  reductionStages(kernel, {
    lanes: 256,
    workgroupBytes: 16384,
    maxBuffers: 8,
    features: new Set(features),
  }).stages.map((stage) => {
    const shader = new Shader(
      stage.buffers,
      stage.buffers.map((use) => bindingFor([use])),
      stage.buffers.map((_, i) => i),
    )
    stage.write(shader)
    return shader.text(stage)
  })

const barriers = (text: string): number => text.split('workgroupBarrier').length - 1

describe('reductions', () => {
  it.each<[DType, Combine]>([
    ['float32', 'sum'],
    ['float32', 'max'],
    ['float16', 'prod'],
    ['int32', 'min'],
    ['uint32', 'max'],
    ['int8', 'sum'],
    ['int16', 'prod'],
    ['bool', 'max'],
    ['bool', 'min'],
  ])('of %s by %s are what they mean, with subgroups and without', async (dtype, combine) => {
    // Lanes of one workgroup, some of them without a term; then points that share a workgroup.
    for (const axes of [
      [2, 301],
      [40, 9],
    ] as const) {
      const kernel = rows(axes, combine, dtype)
      const input = randomData({ dtype, shape: axes }, random(11))
      const expected = interpretKernel(kernel, [input])
      for (const on of [device, plain]) {
        const answers = await run(on, kernel, input)
        answers.forEach((answer, o) =>
          answer.forEach((value, i) => expect(Number(value)).toBeCloseTo(Number(expected[o]![i]), 4)),
        )
      }
    }
  })

  it('find NaN wherever it is', async () => {
    const input = new Float32Array(2 * 301).map((_, i) => (i % 7) - 3)
    input[301 + 299] = Number.NaN
    for (const combine of ['max', 'min', 'sum'] as const)
      for (const on of [device, plain]) {
        const answers = await run(on, rows([2, 301], combine, 'float32'), input)
        answers.forEach((answer) => expect([...answer].map(Number.isNaN)).toEqual([false, true]))
      }
  })

  it('split among workgroups find the same, along memory and across', async () => {
    const size = 32768
    const x = new Float32Array(2 * size).map((_, i) => (i % 13) - 6)
    const across: FusedKernel = {
      ...rows([2, size], 'sum', 'float32'),
      reductions: [
        {
          combine: 'sum',
          dtype: 'float32',
          term: E.load(0, E.add(E.mul(E.axis(1), E.num(2, 'int32')), E.axis(0)), 'float32'),
        },
      ],
    }
    const stores = across.stores.slice(0, 1)
    for (const kernel of [rows([2, size], 'sum', 'float32'), { ...across, stores }])
      for (const on of [device, plain]) {
        expect(on.fuse(kernel)).toMatchObject({ workspaceBytes: expect.toSatisfy((n: number) => n > 0) })
        expect(await run(on, kernel, x)).toEqual(interpretKernel(kernel, [x]))
      }
  })

  it('wait once for each other where there are subgroups, for all reductions that need nothing of each other', () => {
    const kernel = rows([2, 1024], 'sum', 'float32')
    const [withSubgroups] = textOf(kernel, ['subgroups', 'subgroup_id'])
    expect(withSubgroups).toMatch(/^enable subgroups;/)
    expect(barriers(withSubgroups!)).toBe(2)
    const [byHalves] = textOf(kernel, ['subgroups'])
    expect(byHalves).not.toMatch('subgroup')
    expect(barriers(byHalves!)).toBe(18)
  })

  it('that are split are stored by one workgroup for each point', () => {
    const stages = reductionStages(rows([1, 1e6], 'sum', 'float32'), {
      lanes: 256,
      workgroupBytes: 16384,
      maxBuffers: 8,
      features: new Set(),
    }).stages
    expect(stages.map(({ groups }) => groups)).toEqual([244, 244, 1])
  })
})
