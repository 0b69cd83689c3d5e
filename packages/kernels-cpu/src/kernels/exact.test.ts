import type { AttrValues, ConcreteType, DType, Signature, TypedArray } from '@shoal/core'
import {
  allocate,
  dtypes,
  fixedSize,
  floats,
  getElement,
  numerics,
  referenceKernels,
  setElement,
  sizeOf,
  viewOf,
} from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import { cpu, type CpuDevice } from '../cpu.ts'

const devices: readonly [CpuDevice, ...CpuDevice[]] = [cpu(), cpu({ threads: 2 }), cpu({ threads: 4 })]
afterAll(() => Promise.all(devices.map((device) => device[Symbol.asyncDispose]())))

/** Whole numbers of a linear congruential generator, below `limit`. */
function random(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state >>> 8) / 2 ** 24) * limit)
  }
}

const type = (shape: readonly number[], dtype: DType = 'float32'): ConcreteType => ({ dtype, shape })

/** An array of a type, element by element. */
function filled({ dtype, shape }: ConcreteType, element: (i: number) => number): TypedArray {
  const data = allocate(dtype, sizeOf(shape)) as TypedArray
  for (let i = 0; i < data.length; i++) setElement(dtype, data, i, element(i))
  return data
}

const bytesOf = (data: TypedArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Runs a kernel as a Program of its own: the bytes of every output. Memory is full of ones before, so that what is not written shows. */
async function run(
  device: CpuDevice,
  op: string,
  signature: Signature,
  inputs: readonly TypedArray[],
): Promise<Uint8Array[]> {
  const kernel = await device.kernel(op, signature)
  const given = [
    ...inputs.map(bytesOf),
    ...signature.outputs.map(({ dtype, shape }) =>
      new Uint8Array(sizeOf(shape) * dtypes[dtype].bytes).fill(0xff),
    ),
    ...(kernel.workspaceBytes > 0 ? [new Uint8Array(kernel.workspaceBytes).fill(0xff)] : []),
  ]
  const buffers = given.map((bytes) => {
    const buffer = device.alloc(bytes.length)
    device.write(buffer, bytes)
    return buffer
  })
  const step = await device.sequence!([{ kernel, args: buffers }])
  await device.ready()
  step()
  const answers = signature.outputs.map((_, i) => {
    const at = inputs.length + i
    return (device.read(buffers[at]!) as Uint8Array).subarray(0, given[at]!.length)
  })
  buffers.forEach((buffer) => device.free(buffer))
  return answers
}

/** The kernel answers the bytes of the reference kernel, whatever the number of threads. */
async function expectSame(
  op: string,
  inputTypes: readonly ConcreteType[],
  outputs: readonly ConcreteType[],
  attrs: AttrValues,
  inputs: readonly TypedArray[],
): Promise<void> {
  const signature: Signature = { inputs: inputTypes, outputs, attrs }
  const expected = outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)) as TypedArray)
  referenceKernels[op]!(inputs, expected, signature)
  // Less work than a few thousand elements is never shared.
  const large = inputs.some((data) => data.length >= 3000)
  for (const device of large ? devices : devices.slice(0, 1)) {
    const answers = await run(device, op, signature, inputs)
    outputs.forEach(({ dtype, shape }, o) => {
      const answer = viewOf(dtype as Exclude<DType, 'string'>, answers[o]!, sizeOf(shape)) as TypedArray
      // Every NaN is as good as another.
      const wrong = answer.findIndex(
        (_: unknown, i: number) =>
          !Object.is(getElement(dtype, answer, i), getElement(dtype, expected[o]!, i)),
      )
      expect([wrong, answer[wrong]], `${op} ${JSON.stringify(signature)}`).toEqual([-1, undefined])
    })
  }
}

describe('Gather', () => {
  it('moves slices of any length and dtype, and answers zeros out of range', async () => {
    const next = random(1)
    for (const dtype of fixedSize)
      for (const width of [1, 3, 7, 21, 300]) {
        const [x, indices] = [type([2, 5, width], dtype), type([2, 4], 'int32')]
        await expectSame('Gather', [x, indices], [type([2, 4, width], dtype)], { axis: 1, batchDims: 1 }, [
          filled(x, () => next(100)),
          filled(indices, (i) => (i === 2 ? -1 : i === 5 ? 5 : next(5))),
        ])
      }
  })
})

describe('GatherNd', () => {
  const shapes = [[50], [7, 9], [6, 5, 11], [3, 4, 70]]
  it('takes slices by tuples of every depth, and answers zeros out of range', async () => {
    const next = random(2)
    for (const dtype of ['float32', 'int64', 'bool'] as const)
      for (const indexType of ['int32', 'int64'] as const)
        for (const shape of shapes)
          for (let depth = 0; depth <= shape.length; depth++) {
            const [x, indices] = [type(shape, dtype), type([2, 15, depth], indexType)]
            const data = filled(indices, (i) => next(shape[i % depth]! + 1) - (i % 13 === 0 ? 1 : 0))
            const output = type([2, 15, ...shape.slice(depth)], dtype)
            await expectSame('GatherNd', [x, indices], [output], {}, [filled(x, () => next(200)), data])
          }
  })

  it('is shared by threads', async () => {
    const next = random(3)
    const [x, indices] = [type([100, 100]), type([30_000, 2], 'int32')]
    await expectSame('GatherNd', [x, indices], [type([30_000])], {}, [
      filled(x, (i) => i / 7),
      filled(indices, () => next(100)),
    ])
  })
})

describe('TensorScatter', () => {
  const updates = ['set', 'add', 'sub', 'mul', 'min', 'max'] as const

  /** Scatters into [rows, width] at random rows, some out of range and many named more than once. */
  async function expectScatter(update: string, dtype: DType, rows: number, count: number, width: number) {
    const next = random(count + width)
    const [x, indices, changes] = [
      type([rows, width], dtype),
      type([count, 1], 'int32'),
      type([count, width], dtype),
    ]
    const special = dtypes[dtype].kind === 'float' ? [Number.NaN, -0, Infinity, -Infinity] : []
    const value = (i: number) =>
      i % 17 === 0 ? (special[next(8)] ?? 1) : (next(9) - 4) / (special.length ? 8 : 1)
    await expectSame('TensorScatter', [x, indices, changes], [x], { update }, [
      filled(x, value),
      filled(indices, () => next(rows + 2) - 1),
      filled(changes, value),
    ])
  }

  it('changes slices of every dtype in the order of the tuples', async () => {
    for (const dtype of fixedSize)
      for (const update of numerics.includes(dtype) ? updates : ['set'])
        for (const width of [1, 5, 20]) await expectScatter(update, dtype, 6, 40, width)
  })

  it('has the same bits on every number of threads', async () => {
    for (const update of updates) {
      await expectScatter(update, 'float32', 50, 3000, 70)
      await expectScatter(update, 'float32', 1000, 30_000, 1)
    }
  })

  it('names slices by several indices, by none, and changes nothing without tuples', async () => {
    const next = random(5)
    const x = type([4, 5, 6])
    for (const [count, depth] of [
      [9, 2],
      [30, 3],
      [2, 0],
      [0, 1],
    ] as const) {
      const indices = type([count, depth], 'int64')
      const changes = type([count, ...x.shape.slice(depth)])
      await expectSame('TensorScatter', [x, indices, changes], [x], { update: 'add' }, [
        filled(x, (i) => i),
        filled(indices, () => next(5)),
        filled(changes, () => next(10)),
      ])
    }
  })

  it('changes a variable in place', async () => {
    const [device] = devices
    const [x, indices, changes] = [type([4]), type([3, 1], 'int32'), type([3])]
    const signature = { inputs: [x, indices, changes], outputs: [x], attrs: { update: 'add' } }
    const kernel = await device.kernel('TensorScatter', signature)
    const buffers = [Float32Array.of(1, 2, 3, 4), Int32Array.of(1, 3, 1), Float32Array.of(10, 20, 30)].map(
      (data) => {
        const buffer = device.alloc(data.byteLength)
        device.write(buffer, bytesOf(data))
        return buffer
      },
    )
    const [variable, at, by] = buffers as [never, never, never]
    const step = await device.sequence!([
      { kernel, args: [variable, at, by, variable, device.alloc(kernel.workspaceBytes)] },
    ])
    step()
    const bytes = device.read(variable, 16) as Uint8Array<ArrayBuffer>
    expect([...new Float32Array(bytes.buffer)]).toEqual([1, 42, 3, 24])
  })
})

describe('TopK', () => {
  /** Many equal elements, both zeros, infinities and NaN where there are any. */
  async function expectOrder(
    lines: number,
    size: number,
    k: number,
    dtype: DType,
    indexType: DType = 'int32',
  ) {
    const next = random(size + k)
    const special = dtypes[dtype].kind === 'float' ? [Number.NaN, -0, 0, Infinity, -Infinity] : []
    const x = type([lines, size], dtype)
    const data = filled(x, (i) =>
      i % 7 === 0 ? (special[next(8)] ?? 0) : (next(2001) - 1000) * (special.length ? 1.37 : 1e6),
    )
    const outputs = [type([lines, k], dtype), type([lines, k], indexType)]
    for (const largest of [false, true])
      await expectSame('TopK', [x], outputs, { k, largest, dtype: indexType }, [data])
  }

  it('orders every dtype, equal elements as they come and NaN as the greatest', async () => {
    for (const dtype of numerics)
      for (const [size, k] of [
        [1, 1],
        [9, 3],
        [40, 40],
        [200, 1],
        [200, 64],
        [200, 65],
        [200, 200],
        [5000, 5000],
      ] as const)
        await expectOrder(3, size, k, dtype)
  })

  it('answers int64 indices, and nothing where nothing is wanted', async () => {
    await expectOrder(2, 100, 7, 'float32', 'int64')
    await expectOrder(2, 100, 100, 'int64', 'int64')
    await expectOrder(2, 100, 0, 'float32')
    await expectOrder(0, 10, 3, 'float32')
  })

  it('orders lines that are in order already, or all the same', async () => {
    const x = type([2, 300])
    for (const element of [(i: number) => i, (i: number) => -i, () => 7])
      for (const k of [10, 300])
        for (const largest of [false, true])
          await expectSame(
            'TopK',
            [x],
            [type([2, k]), type([2, k], 'int32')],
            { k, largest, dtype: 'int32' },
            [filled(x, element)],
          )
  })

  it('shares many lines among threads', async () => {
    await expectOrder(100, 1000, 5, 'float32')
    await expectOrder(50, 1000, 1000, 'float32')
  })
})

describe('Cumulative', () => {
  async function expectTotals(shape: readonly number[], axis: number, dtype: DType, attrs: AttrValues) {
    const next = random(sizeOf(shape) + axis)
    const special = dtypes[dtype].kind === 'float' ? [Number.NaN, -0, Infinity, -Infinity] : []
    const x = type(shape, dtype)
    const element = (i: number) =>
      i % 31 === 30 ? (special[next(6)] ?? 1) : (next(41) - 20) / (special.length ? 8 : 1)
    await expectSame('Cumulative', [x], [x], { axis, exclusive: false, reverse: false, ...attrs }, [
      filled(x, element),
    ])
  }

  it('joins every dtype along every axis, from either end, with the element or without', async () => {
    for (const dtype of numerics)
      for (const combine of ['sum', 'prod', 'max', 'min', ...(floats.includes(dtype) ? ['logSumExp'] : [])])
        for (const exclusive of [false, true])
          for (const reverse of [false, true])
            for (const axis of [0, 1, -1])
              await expectTotals([6, 5, 23], axis, dtype, { combine, exclusive, reverse })
  })

  it('runs along one line, along none, and along lines that are one element or empty', async () => {
    for (const [shape, axis] of [
      [[1000], 0],
      [[0, 4], 1],
      [[4, 0], 1],
      [[4, 0], 0],
      [[1, 3], 0],
      [[5, 1], 1],
      [[3, 16], 0],
    ] as const)
      await expectTotals(shape, axis, 'float32', { combine: 'sum' })
  })

  it('shares lines among threads', async () => {
    for (const axis of [0, 1]) await expectTotals([300, 301], axis, 'float32', { combine: 'sum' })
  })
})

describe('Bitcast', () => {
  it('copies the bytes', async () => {
    const x = type([3, 70_000])
    const data = filled(x, (i) => (i % 9 === 0 ? Number.NaN : i / 3))
    await expectSame('Bitcast', [x], [type([3, 70_000], 'int32')], { to: 'int32' }, [data])
  })
})

describe('MatMul', () => {
  const others = numerics.filter((dtype) => dtype !== 'float32' && dtype !== 'float64')

  /** Small whole numbers, whose sums are exact in every dtype but the narrow integers, where they wrap. */
  async function expectProduct(
    a: readonly number[],
    b: readonly number[],
    y: readonly number[],
    dtype: DType,
  ) {
    const next = random(sizeOf(y))
    const swap = (shape: readonly number[]) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!]
    for (const transposeA of [false, true])
      for (const transposeB of [false, true]) {
        const inputs = [type(transposeA ? swap(a) : a, dtype), type(transposeB ? swap(b) : b, dtype)]
        const attrs = { transposeA, transposeB }
        const data = inputs.map((input) => filled(input, () => next(9) - (dtype.startsWith('u') ? 0 : 4)))
        await expectSame('MatMul', inputs, [type(y, dtype)], attrs, data)
      }
  }

  it('multiplies integers and halves, transposed or not, with batches that broadcast', async () => {
    for (const dtype of others) {
      await expectProduct([5, 7], [7, 3], [5, 3], dtype)
      await expectProduct([2, 1, 3, 6], [4, 6, 9], [2, 4, 3, 9], dtype)
      await expectProduct([2, 0], [0, 3], [2, 3], dtype)
      await expectProduct([0, 2], [2, 3], [0, 3], dtype)
      await expectProduct([2, 0], [0, 0], [2, 0], dtype)
    }
  })

  it('shares rows among threads', async () => {
    for (const dtype of ['float16', 'int32', 'int8'] as const)
      await expectProduct([90, 50], [50, 70], [90, 70], dtype)
  })
})
