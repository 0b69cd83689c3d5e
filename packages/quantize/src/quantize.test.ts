import type { Feeds, Tensor } from '@shoal/core'
import {
  add,
  constant,
  conv2d,
  depthwiseConv2d,
  type DType,
  fromGraphDef,
  matmul,
  mul,
  NDArray,
  placeholder,
  randomUniform,
  relu,
  Session,
  sub,
  toGraphDef,
  toposort,
  transpose,
  ValueError,
  variable,
} from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { describe, expect, it } from 'vitest'
import { quantize } from './index.ts'

/** Numbers of a linear congruential generator, in [-1, 1). */
function numbers(shape: readonly number[], seed = 1, dtype: DType = 'float32'): NDArray {
  let state = seed
  const size = shape.reduce((product, n) => product * n, 1)
  const data = Float64Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  })
  return new NDArray('float64', shape, data).cast(dtype)
}

const opsOf = (t: Tensor) => toposort({ fetches: [t], targets: [] }).map(({ op }) => op.name)
const count = (t: Tensor, name: string) => opsOf(t).filter((other) => other === name).length

/** The greatest difference between a model and the same in int8, in parts of the greatest value. */
async function loss(model: Tensor, feeds: Feeds): Promise<number> {
  await using session = new Session({ devices: [cpu()] })
  await session.initialize(model)
  const int8 = await quantize(model, { session, calibration: [feeds] })
  const [exact, rounded] = await session.run([model, int8], feeds)
  const [a, b] = [exact.numbers(), rounded.numbers()]
  const largest = Math.max(...a.map(Math.abs))
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / largest
}

const x = placeholder({ shape: ['batch', 24], name: 'x' })
const weights = () => variable(numbers([24, 10], 2), { name: 'weights' })
const feeds = { x: numbers([50, 24]) }
const image = placeholder({ shape: ['batch', 9, 8, 6], name: 'image' })
const images = { image: numbers([3, 9, 8, 6]) }

describe('what quantize rebuilds', () => {
  it('computes nearly the same, whatever the layer', async () => {
    const filter = numbers([3, 3, 6, 8], 3)
    const models: readonly [Tensor, Feeds][] = [
      [matmul(x, weights()), feeds],
      [add(matmul(x, weights()), numbers([10], 4)), feeds],
      [add(numbers([1, 10], 4), matmul(x, weights())), feeds],
      [matmul(x, numbers([10, 24]), { transposeB: true }), feeds],
      [matmul(x, transpose(mul(numbers([10, 24]), 0.5))), feeds],
      [conv2d(image, filter), images],
      [add(conv2d(image, filter, { padding: 'SAME', strides: 2 }), numbers([8])), images],
      [conv2d(image, numbers([3, 3, 3, 8]), { groups: 2, dilations: 2 }), images],
      [depthwiseConv2d(image, numbers([3, 3, 6, 2]), { padding: 'SAME' }), images],
    ]
    for (const [model, given] of models) expect(await loss(model, given)).toBeLessThan(0.03)
  })

  it('has one kernel for a layer with its bias, between integers and floats', async () => {
    await using session = new Session()
    const model = relu(add(matmul(x, numbers([24, 10])), numbers([10])))
    const int8 = await quantize(model, { session, calibration: [feeds] })
    expect(opsOf(int8)).toEqual([
      'Placeholder',
      'QuantizeLinear',
      'Const',
      'QuantizedMatMul',
      'Const',
      'Const',
      'DequantizeLinear',
      'Relu',
    ])
  })

  it('keeps the structure of what it was given, its feeds, dtypes and names of sizes', async () => {
    await using session = new Session()
    const wide = placeholder({ shape: ['batch', 24], dtype: 'float64', name: 'x' })
    const y = matmul(wide, numbers([24, 10], 1, 'float64'))
    const calibration = [{ x: numbers([5, 24], 1, 'float64') }]
    const { scores, parts } = await quantize({ scores: y, parts: [wide, relu(y)] }, { session, calibration })
    expect(scores.dtype).toBe('float64')
    expect(scores.shape).toEqual(['batch', 10])
    expect(parts[0]).toBe(wide)
    expect(parts[1]!.node.inputs[0]).toBe(scores)
  })

  it('takes a bias along only where nothing else reads the product', async () => {
    await using session = new Session()
    const calibration = [feeds]
    const product = matmul(x, numbers([24, 10]))
    const shared = await quantize(sub(add(product, numbers([10])), product), { session, calibration })
    expect(opsOf(shared)).toContain('Add')
    const [fetched] = await quantize([product, add(product, numbers([10]))], { session, calibration })
    expect(fetched!.node.op.name).toBe('DequantizeLinear')
    const deeper = add(product, numbers([1, 1, 10]))
    const same = await quantize(deeper, { session, calibration })
    expect([same.shape, opsOf(same).includes('Add')]).toEqual([deeper.shape, true])
    const moving = add(product, sub(product, 1))
    expect(opsOf(await quantize(moving, { session, calibration }))).toContain('Add')
  })

  it('stacks: a layer reads what the one before has become', async () => {
    const second = (y: Tensor) => add(matmul(relu(y), numbers([10, 7], 5)), numbers([7], 6))
    const model = second(add(matmul(x, numbers([24, 10])), numbers([10])))
    expect(await loss(model, feeds)).toBeLessThan(0.04)
    await using session = new Session()
    const int8 = await quantize(model, { session, calibration: [feeds] })
    expect(count(int8, 'QuantizedMatMul')).toBe(2)
    expect(opsOf(int8)).not.toContain('MatMul')
  })

  it('leaves alone what the caller wants as it is, and products that no weights decide', async () => {
    await using session = new Session()
    const kept = matmul(x, numbers([24, 24]), { name: 'kept' })
    const drawn = matmul(x, randomUniform([24, 10]))
    const model = add(matmul(matmul(kept, numbers([24, 5])), numbers([5, 10])), drawn)
    const int8 = await quantize(model, {
      session,
      calibration: [feeds],
      layers: ({ name }) => name !== 'kept',
    })
    expect(count(int8, 'MatMul')).toBe(2)
    expect(count(int8, 'QuantizedMatMul')).toBe(2)
    const attention = matmul(x, x, { transposeB: true })
    await expect(quantize(attention, { session, calibration: [feeds] })).rejects.toThrow(ValueError)
  })

  it('no longer asks for the variables of its layers', async () => {
    await using trained = new Session()
    const model = matmul(x, weights())
    await trained.initialize(model)
    const int8 = await quantize(model, { session: trained, calibration: [feeds] })
    await using other = new Session()
    expect(await other.run(int8, feeds)).toEqual(await trained.run(int8, feeds))
  })
})

describe('a model in int8', () => {
  it('is a graph like any other: written and read, it computes the same bits', async () => {
    await using session = new Session({ devices: [cpu()] })
    const model = add(conv2d(image, numbers([3, 3, 6, 8]), { padding: 'SAME' }), numbers([8]))
    const int8 = await quantize(model, { session, calibration: [images] })
    const text = JSON.stringify(toGraphDef({ int8 }))
    const read = fromGraphDef(JSON.parse(text)).fetches.get('int8')!
    expect((await session.run(read, images)).data).toEqual((await session.run(int8, images)).data)
  })
})

describe('calibration', () => {
  it('needs batches, with finite values, and a percentile that leaves most of them', async () => {
    await using session = new Session()
    const model = matmul(x, numbers([24, 10]))
    await expect(quantize(model, { session, calibration: [] })).rejects.toThrow('at least one batch')
    const broken = [{ x: new NDArray('float32', [1, 24], new Float32Array(24).fill(Number.NaN)) }]
    await expect(quantize(model, { session, calibration: broken })).rejects.toThrow('no finite numbers')
    const unlearnt = new NDArray('float32', [24, 10], new Float32Array(240).fill(Number.NaN))
    await expect(quantize(matmul(x, unlearnt), { session, calibration: [feeds] })).rejects.toThrow(
      'no finite numbers',
    )
    await expect(quantize(model, { session, calibration: [feeds], percentile: 50 })).rejects.toThrow(
      'above 50',
    )
  })

  it('sees all batches, also those that come later', async () => {
    await using session = new Session()
    const model = matmul(x, numbers([24, 10]))
    async function* batches() {
      yield { x: numbers([4, 24]) }
      yield { x: numbers([4, 24], 9) }
    }
    const one = await quantize(model, { session, calibration: batches() })
    const all = await quantize(model, {
      session,
      calibration: [{ x: numbers([4, 24], 9) }, { x: numbers([4, 24]) }],
    })
    expect(await session.run(one, feeds)).toEqual(await session.run(all, feeds))
  })

  it('gives a lone large value up when told to', async () => {
    await using session = new Session()
    const values = numbers([50, 24])
    const data = Float32Array.from(values.numbers())
    data[17] = 1000
    const spiked = [{ x: new NDArray('float32', [50, 24], data) }]
    const model = matmul(x, constant(numbers([24, 10])))
    const error = async (int8: Tensor) => {
      const [a, b] = await session.run([model, int8], feeds)
      return Math.max(...a.numbers().map((v, i) => Math.abs(v - b.numbers()[i]!)))
    }
    const whole = await quantize(model, { session, calibration: spiked })
    const cut = await quantize(model, { session, calibration: spiked, percentile: 99 })
    expect(await error(cut)).toBeLessThan(0.05 * (await error(whole)))
  })
})
