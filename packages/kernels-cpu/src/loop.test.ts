import type { FusedKernel, Tensor } from '@shoal/core'
import {
  add,
  cast,
  constant,
  E,
  fill,
  gradients,
  less,
  logicalAnd,
  lstm,
  matmul,
  mul,
  ndarray,
  placeholder,
  reference,
  scan,
  Session,
  simpleKernel,
  sort,
  sum,
  tanh,
  whileLoop,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu } from './index.ts'

/** y = a + b over two float32 values. */
const plus: FusedKernel = simpleKernel({
  name: 'plus',
  inputs: [
    { dtype: 'float32', length: 2 },
    { dtype: 'float32', length: 2 },
  ],
  output: { dtype: 'float32', length: 2 },
  axes: [2],
  reduced: 0,
  body: E.add(E.load(0, E.axis(0), 'float32'), E.load(1, E.axis(0), 'float32')),
})
const bytesOf = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

describe('loops', () => {
  it('run their rounds on memory that moves', async () => {
    await using device = cpu()
    const rounds = 5
    const [rows, state, made] = [device.alloc(8 * rounds), device.alloc(2 * 64), device.alloc(8 * rounds)]
    device.write(rows, bytesOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
    device.write(state, bytesOf(100, 200))
    const before = { buffer: state, offset: 0, stride: 64, period: 2 }
    const after = { buffer: state, offset: 64, stride: -64, period: 2 }
    // Rows from the first to the last, results from the last to the first.
    const go = await device.loop!([
      { kernel: await device.fuse(plus), args: [before, { buffer: rows, offset: 0, stride: 8 }, after] },
      { kernel: device.copy(8), args: [after, { buffer: made, offset: 8 * (rounds - 1), stride: -8 }] },
    ])
    for (let round = 0; round < rounds; round++) go(round)
    const read = (await device.read(made)).slice()
    expect([...new Float32Array(read.buffer)]).toEqual([125, 230, 116, 220, 109, 212, 104, 206, 101, 202])
  })

  const xs = constant([
    [3, 1],
    [0.5, -2],
    [2, 2],
    [-1, 4],
    [1, 0.25],
  ])
  const ones = fill({ shape: [2], value: 1 })
  const loops: { readonly [name: string]: () => readonly Tensor[] } = {
    'whose results are their states, twice': () => {
      const { state, results } = scan(
        ([h], [x]) => {
          const next = add(mul(h!, 0.5), x!)
          return [[next], [next, mul(next, 2), next]]
        },
        [ones],
        [xs],
      )
      return [...state, ...results, state[0]!.node.outputs.at(-1)!]
    },
    'whose states change places, or stay': () => {
      const { state, results } = scan(
        ([a, b, c], [x]) => [
          [b!, add(a!, x!), c!],
          [mul(a!, c!), constant([7, 8])],
        ],
        [ones, fill({ shape: [2], value: 2 }), fill({ shape: [2], value: 3 })],
        [xs],
        { reverse: true },
      )
      return [...state, ...results, ...state[0]!.node.outputs.slice(-3)]
    },
    'with kernels of the host': () => {
      const { state, results } = scan(
        ([h], [x]) => {
          const next = sort(add(h!, x!))
          return [[mul(next, 0.5)], [next]]
        },
        [ones],
        [xs],
      )
      return [...state, ...results]
    },
    'over rows of odd sizes': () => {
      const bytes = constant(
        ndarray(
          Int8Array.from({ length: 15 }, (_, i) => i - 7),
          'int8',
          [5, 3],
        ),
      )
      const { state, results } = scan(
        ([h], [x]) => [[add(h!, x!)], [add(x!, h!), cast(x!, { to: 'float32' })]],
        [fill({ shape: [3], dtype: 'int8', value: 1 })],
        [bytes],
        { reverse: true },
      )
      return [...state, ...results]
    },
    'that go on while a condition holds': () => {
      const [i, h] = whileLoop(
        (n, v) => logicalAnd(less(n, 7), less(sum(v), 50)),
        (n, v) => [add(n, 1), add(mul(v, 1.25), 1)],
        [constant(0, 'int32'), ones],
        { maxIterations: 12 },
      )
      const w = constant([1, 2])
      const bounded = (maxIterations: number): Tensor =>
        whileLoop(
          (n) => less(n, 5),
          (n, v) => [add(n, 1), tanh(mul(v, w))],
          [0, ones],
          { maxIterations },
        )[1]!
      const never = whileLoop(
        (n) => less(n, 0),
        (n) => [add(n, 1)],
        [3],
      )
      return [
        i!,
        h!,
        ...never,
        ...[8, 2].flatMap((most) => [bounded(most), ...gradients(sum(bounded(most)), [w])]),
      ]
    },
    'without rounds': () => {
      const { state, results } = scan(([h], [x]) => [[add(h!, x!)], [h!]], [ones], [fill({ shape: [0, 2] })])
      return [...state, ...results]
    },
    'within loops': () => {
      const { state, results } = scan(
        ([h], [x]) => {
          const inner = scan(([g], [y]) => [[add(mul(g!, 0.5), y!)], [g!]], [h!], [xs])
          return [[mul(inner.state[0]!, x!)], [sum(inner.results[0]!)]]
        },
        [ones],
        [xs],
      )
      return [...state, ...results]
    },
    'that run back': () => {
      const w = constant([
        [0.5, -0.25],
        [0.125, 0.75],
      ])
      const { results } = scan(
        ([h], [x]) => {
          const next = tanh(add(matmul(h!, w), x!))
          return [[next], [next]]
        },
        [fill({ shape: [5, 2], value: 0.5 })],
        [mul(fill({ shape: [4, 5, 2], value: 1 }), xs)],
      )
      const loss = sum(mul(results[0]!, results[0]!))
      const [dw] = gradients(loss, [w])
      return [loss, dw!, gradients(sum(mul(dw!, dw!)), [w])[0]!]
    },
  }
  it.each(Object.keys(loops))('%s answer what the reference device does', async (name) => {
    const fetches = loops[name]!()
    await using expected = new Session({ devices: [reference()] })
    await using session = new Session({ devices: [cpu()] })
    const wanted = await expected.run(fetches)
    // The second run finds the memory as the first one has left it.
    await session.run(fetches)
    const found = await session.run(fetches)
    const traced = await session.run(fetches, new Map(), { onTrace: () => undefined })
    wanted.forEach((array, i) => {
      expect(found[i]!.shape).toEqual(array.shape)
      expect(traced[i]!.numbers()).toEqual(found[i]!.numbers())
      array.numbers().forEach((x, k) => expect(found[i]!.numbers()[k]).toBeCloseTo(Number(x), 4))
    })
  })
  it('can be stopped between rounds', async () => {
    const { state } = scan(([h], [x]) => [[add(h!, x!)], []], [ones], [xs])
    await using session = new Session({ devices: [cpu()] })
    await session.run(state)
    const run = session.run(state, new Map(), { signal: AbortSignal.abort(new Error('enough')) })
    await expect(run).rejects.toThrow(/enough/)
  })

  it('train an LSTM to the same bits on any number of threads', async () => {
    const x = placeholder({ shape: [16, 6, 8], name: 'x' })
    const values = (shape: readonly [number, number], k: number): Tensor =>
      constant(
        Array.from({ length: shape[0] }, (_, i) =>
          Array.from({ length: shape[1] }, (__, j) => Math.sin(i * 1.3 + j * j + k) * 0.3),
        ),
      )
    const [input, hidden] = [values([8, 256], 1), values([64, 256], 2)]
    const { outputs, h, c } = lstm(x, { input, hidden })
    const loss = add(sum(mul(outputs, outputs)), sum(mul(h, c)))
    const fetches = [loss, ...gradients(loss, [input, hidden, x])]
    const feed = ndarray(
      Float32Array.from({ length: 16 * 6 * 8 }, (_, i) => Math.cos(i * i)),
      'float32',
      [16, 6, 8],
    )
    const found: Uint8Array[][] = []
    for (const threads of [1, 2, 4]) {
      const device = cpu({ threads })
      await using session = new Session({ devices: [device] })
      await session.run(fetches, new Map([[x, feed]]))
      await device.ready()
      const arrays = await session.run(fetches, new Map([[x, feed]]))
      found.push(arrays.map((array) => array.bytes))
    }
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
  })
})
