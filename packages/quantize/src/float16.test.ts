import {
  add,
  constant,
  conv2d,
  conv2dTranspose,
  gather,
  inspectProgram,
  matmul,
  mul,
  NDArray,
  placeholder,
  reshape,
  Session,
  type Tensor,
  toposort,
  transpose,
  variable,
} from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { describe, expect, it } from 'vitest'
import { storedBytes, storeFloat16 } from './index.ts'

const ramp = (rows: number, columns: number) =>
  new NDArray(
    'float32',
    [rows, columns],
    Float32Array.from({ length: rows * columns }, (_, i) => (i % 97) / 97),
  )
const x = placeholder({ shape: ['batch', 40], name: 'x' })

describe('weights in float16', () => {
  it('are rounded to it, and everything else is as before', async () => {
    await using session = new Session()
    const weights = variable(ramp(40, 50), { name: 'weights' })
    const bias = variable(ramp(1, 50), { name: 'bias' })
    const model = add(matmul(x, mul(weights, constant(ramp(40, 50)))), bias)
    await session.initialize(model)
    const half = await storeFloat16(model, { session })
    const rounded = ramp(40, 50).cast('float16').cast('float32')
    const expected = add(matmul(x, mul(rounded, rounded)), bias)
    const feeds = { x: ramp(3, 40) }
    const [a, b] = await session.run([half, expected], feeds)
    expect(a).toEqual(b)
    expect(storedBytes(model)).toBe(4 * (2 * 2000 + 50))
    expect(storedBytes(half)).toBe(2 * 2 * 2000 + 4 * 50)
  })

  it('are those that are large and wide, in the structure that was given', async () => {
    await using session = new Session()
    const small = mul(x, ramp(1, 40))
    const integers = constant(new NDArray('int32', [2000], new Int32Array(2000)))
    const model = { small, rest: [integers] } as const
    const same = await storeFloat16(model, { session })
    expect(same).toEqual(model)
    const all = await storeFloat16(small, { session, minElements: 1 })
    expect(toposort({ fetches: [all], targets: [] }).map(({ op }) => op.name)).toEqual([
      'Placeholder',
      'Const',
      'Cast',
      'Mul',
    ])
  })
})

describe('the weights of a matrix product', () => {
  const feeds = { x: ramp(3, 40) }
  const opsOf = (t: Tensor) => toposort({ fetches: [t], targets: [] }).map(({ op }) => op.name)

  it('are widened by the product itself, on every device, for few rows and for many', async () => {
    for (const transposeB of [false, true])
      for (const rows of [1, 3, 20]) {
        await using session = new Session({ devices: [cpu()] })
        const weights = ramp(...((transposeB ? [50, 40] : [40, 50]) as [number, number]))
        const half = await storeFloat16(matmul(x, weights, { transposeB }), { session })
        expect(opsOf(half)).toEqual(['Placeholder', 'Const', 'Float16MatMul'])
        const rounded = matmul(x, weights.cast('float16').cast('float32'), { transposeB })
        const [a, b] = await session.run([half, rounded], { x: ramp(rows, 40) })
        a.numbers().forEach((v, i) => expect(v).toBeCloseTo(b.numbers()[i]!, 4))
      }
  })

  it('are widened before it where others read them too, or it is of another kind', async () => {
    await using session = new Session()
    const weights = constant(ramp(40, 40))
    for (const model of [
      add(matmul(x, weights), matmul(x, mul(weights, 2))),
      matmul(weights, transpose(x)),
      matmul(transpose(x), weights, { transposeA: true }),
    ]) {
      const half = await storeFloat16(model, { session })
      expect(opsOf(half)).toContain('Cast')
      expect(opsOf(half)).not.toContain('Float16MatMul')
      const [a, b] = await session.run([half, model], feeds)
      a.numbers().forEach((v, i) => expect(Math.abs(v - b.numbers()[i]!)).toBeLessThan(0.02))
    }
    const [product, same] = await storeFloat16([matmul(x, weights), weights], { session })
    expect([product.node.op.name, same.node.op.name]).toEqual(['MatMul', 'Cast'])
  })
})

describe('a table that rows are picked from', () => {
  it('is never widened as a whole', async () => {
    await using session = new Session({ devices: [cpu()] })
    const table = ramp(5000, 32)
    const ids = placeholder({ shape: [3], dtype: 'int32', name: 'ids' })
    const feeds = { ids: new NDArray('int32', [3], Int32Array.of(7, 4999, 5000)) }
    const half = await storeFloat16(gather(table, ids), { session })
    const [rows, expected] = await session.run(
      [half, gather(table.cast('float16').cast('float32'), ids)],
      feeds,
    )
    expect(rows).toEqual(expected)
    const [program] = await session.programs(half, feeds)
    const { slots, constants } = inspectProgram(program!).memory
    expect(constants).toBeLessThan(2 * 5000 * 32 + 4096)
    expect(slots).toBeLessThan(4096)
  })

  it('is stored once where it is read in other ways too', async () => {
    await using session = new Session()
    const table = constant(ramp(50, 40))
    const columns = gather(table, [1, 2], { axis: 1 })
    const model = [columns, matmul(x, table, { transposeB: true })] as const
    const half = await storeFloat16(model, { session })
    expect(storedBytes(half)).toBe(2 * 2000 + 4 * 2)
    const [a, b] = await session.run([half[0], gather(table, [1, 2], { axis: 1 })])
    a.numbers().forEach((v, i) => expect(v).toBeCloseTo(Number(b.numbers()[i]), 3))
  })
})

describe('the weights of convolutions', () => {
  const image = placeholder({ shape: [1, 8, 8, 20], name: 'image' })
  const filter = constant(ramp(9, 400))
  const dense = conv2d(image, reshape(filter, { shape: [3, 3, 20, 20] }))

  it('stay as they are unless they are asked for, in whatever shape they are read', async () => {
    await using session = new Session()
    const across = conv2dTranspose(image, constant(ramp(9, 400).reshape([3, 3, 20, 20])))
    for (const model of [dense, across]) {
      expect(await storeFloat16(model, { session })).toBe(model)
      const half = await storeFloat16(model, { session, convolutions: true })
      expect(storedBytes(half)).toBe(2 * 3600)
    }
  })
})

describe('stored bytes', () => {
  it('count a variable once, however often it is read', () => {
    const v = variable(ramp(10, 10), { name: 'v' })
    expect(storedBytes(add(v, v))).toBe(400)
  })
})
