import type { DType, TypedArray } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import { webgpu } from '../../webgpu.ts'
import { answersOf, expectAgreement, random, randomData, type } from '../agreement.ts'
import { tensorScatter } from './index.ts'

const device = await webgpu()
afterAll(() => device[Symbol.asyncDispose]())

const updates = ['set', 'add', 'sub', 'mul', 'min', 'max'] as const

function signature(
  x: readonly number[],
  indices: readonly number[],
  update: (typeof updates)[number],
  dtype: DType = 'float32',
) {
  const changes = type([...indices.slice(0, -1), ...x.slice(indices.at(-1))], dtype)
  return {
    inputs: [type(x, dtype), type(indices, 'int32'), changes],
    outputs: [type(x, dtype)],
    attrs: { update },
  }
}

/** Indices below `size`, some of them out of range, and most of them more than once. */
function places(count: number, size: number): Int32Array {
  const next = random(3)
  return Int32Array.from({ length: count }, () => Math.floor((next() + 1) * 0.55 * size) - 1)
}

/** Agrees within what adding up in another order may cost. */
async function expectScatter(
  x: readonly number[],
  indices: readonly number[],
  update: (typeof updates)[number],
  dtype?: DType,
  given?: Int32Array,
): Promise<void> {
  const of = signature(x, indices, update, dtype)
  const next = random(7)
  const [table, , changes] = of.inputs.map((each) => randomData(each, next)) as [
    TypedArray,
    TypedArray,
    TypedArray,
  ]
  const count = indices.reduce((n, d) => n * d, 1)
  const tolerance = dtype === 'float16' ? 0.1 : dtype === 'bfloat16' ? 1 : 1e-4
  const exact = update === 'set' || update === 'min' || update === 'max'
  await expectAgreement(device, 'TensorScatter', of, exact ? 0 : tolerance, [
    table,
    given ?? places(count, x[0]!),
    changes,
  ])
}

describe('TensorScatter of few updates', () => {
  it('changes elements and slices, in order, and passes over what is out of range', async () => {
    for (const update of updates) {
      await expectScatter([5, 3], [7, 1], update)
      await expectScatter([4, 4], [6, 2], update)
    }
    await expectScatter([3, 8], [4, 1], 'set')
    await expectScatter([4, 3], [2, 0], 'add')
    await expectScatter([4, 3], [0, 1], 'add')
  })

  it('changes elements of all dtypes', async () => {
    for (const dtype of ['float16', 'int8', 'uint8', 'int16', 'uint32'] as const)
      for (const update of ['set', 'sub'] as const) await expectScatter([5, 3], [7, 1], update, dtype)
    await expectScatter([5, 3], [7, 1], 'set', 'bool')
    await expectScatter([5, 3], [7, 1], 'mul', 'int8')
  })
})

describe('TensorScatter of many updates', () => {
  it('takes updates in the order of their places', async () => {
    for (const update of updates) await expectScatter([40, 3], [300, 1], update)
    await expectScatter([40, 4], [300, 1], 'set')
    await expectScatter([40, 3], [300, 1], 'set', 'bool')
    await expectScatter([40], [270, 1], 'add', 'float16')
    await expectScatter([40], [270, 1], 'sub', 'uint8')
  })

  it('puts together runs that are longer than a part', async () => {
    // All in one place; half in one and half in another; none at all.
    for (const place of [(): number => 2, (i: number): number => i % 2, (): number => -1])
      await expectScatter(
        [3, 2],
        [333, 1],
        'add',
        'float32',
        Int32Array.from({ length: 333 }, (_, i) => place(i)),
      )
  })

  it('sorts more of them than a workgroup holds', async () => {
    await expectScatter([700], [2100, 1], 'add')
    await expectScatter([700], [2100, 1], 'max', 'int32')
  })

  it('has the same bits at every run', async () => {
    const of = signature([10], [500, 1], 'add')
    const next = random(1)
    const given = [randomData(of.inputs[0]!, next), places(500, 10), randomData(of.inputs[2]!, next)]
    const first = await answersOf(device, 'TensorScatter', of, given)
    expect(await answersOf(device, 'TensorScatter', of, given)).toEqual(first)
  })

  it('changes a variable in place, without a copy', async () => {
    for (const update of ['set', 'add'] as const)
      for (const count of [5, 300]) {
        const of = signature([50, 2], [count, 1], update)
        const next = random(5)
        const given = [randomData(of.inputs[0]!, next), places(count, 50), randomData(of.inputs[2]!, next)]
        const [apart] = await answersOf(device, 'TensorScatter', of, given)
        const kernel = await device.kernel('TensorScatter', of)
        const buffers = [...given.map(({ byteLength }) => byteLength), kernel.workspaceBytes].map((bytes) =>
          device.alloc(bytes),
        )
        given.forEach((data, i) => device.write(buffers[i]!, new Uint8Array(data.buffer)))
        const scratch = kernel.workspaceBytes > 0 ? [buffers[3]!] : []
        const { dispatches } = device.counts()
        kernel.launch([...buffers.slice(0, 3), buffers[0]!, ...scratch])
        // Few updates: all in one stage. Many: a sort, then one stage to set or two to combine, and no copy before.
        expect(device.counts().dispatches - dispatches).toBe(count === 5 ? 1 : update === 'set' ? 2 : 3)
        const bytes = await device.read(buffers[0]!, 400)
        expect(new Float32Array(bytes.slice().buffer)).toEqual(apart)
        buffers.forEach((buffer) => device.free(buffer))
      }
  })

  it('takes as many stages as it must', () => {
    const target = { lanes: 256, workgroupBytes: 16384, maxBuffers: 8, features: new Set<string>() }
    const stages = (x: number[], indices: number[], update: 'set' | 'add'): number =>
      tensorScatter.compile(signature(x, indices, update), target, {
        output: { uses: [{ arg: 3, dtype: 'float32', length: 1, access: 'write' }], store: () => undefined },
        firstOutput: 3,
        workspace: 4,
      }).stages.length
    expect(stages([10, 4], [20, 1], 'add')).toBe(1)
    // A copy, a sort in one workgroup, and one stage to set or two to combine.
    expect(stages([50000, 64], [512, 1], 'set')).toBe(3)
    expect(stages([50000, 64], [512, 1], 'add')).toBe(4)
  })
})
