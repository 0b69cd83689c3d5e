import {
  add,
  conv2d,
  gradients,
  maximum,
  matmul,
  mul,
  NDArray,
  placeholder,
  relu,
  Session,
  sizeOf,
  sub,
  sum,
  tanh,
  type Tensor,
  variable,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu } from './cpu.ts'

const values = (shape: readonly number[], seed: number): NDArray<'float32'> =>
  new NDArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * seed + seed)),
  )

interface Outcome {
  readonly ops: readonly string[]
  readonly values: readonly (readonly number[])[]
}

/** Runs fetches twice, and answers the second values and the kernels. */
async function run(
  session: Session,
  fetches: readonly Tensor[],
  feeds: readonly (readonly [Tensor, NDArray])[],
): Promise<Outcome> {
  await session.initialize(fetches)
  const ops: string[] = []
  await session.run(fetches, feeds)
  const all = await session.run(fetches, feeds, { onTrace: (events) => ops.push(...events.map((e) => e.op)) })
  const plain = await session.run(fetches, feeds)
  await session[Symbol.asyncDispose]()
  return { ops, values: [...all, ...plain].map((value) => value.numbers() as number[]) }
}

async function expectFollowed(
  kernel: RegExp,
  fetches: readonly Tensor[],
  feeds: readonly (readonly [Tensor, NDArray])[],
): Promise<void> {
  const expected = await run(new Session({ fusion: false }), fetches, feeds)
  for (const threads of [1, 2]) {
    const actual = await run(new Session({ devices: [cpu({ threads })] }), fetches, feeds)
    expect(
      actual.ops.some((op) => kernel.test(op)),
      actual.ops.join(' '),
    ).toBe(true)
    actual.values.forEach((list, i) => {
      const exact = expected.values[i]!
      const scale = Math.max(1, ...exact.map(Math.abs))
      list.forEach((x, k) => expect(Math.abs(x - exact[k]!) / scale).toBeLessThan(2e-5))
    })
  }
}

describe('an epilogue', () => {
  it.each<[string, readonly number[], readonly number[]]>([
    ['of tiles', [70, 33], [33, 50]],
    ['of one row', [1, 300], [300, 700]],
    ['of one column', [90, 300], [300, 1]],
    ['of few rows', [3, 64], [64, 257]],
    ['of many rows', [300, 20], [20, 64]],
    ['of batches', [4, 3, 20, 16], [4, 3, 16, 24]],
    ['of a broadcast batch', [6, 20, 16], [16, 24]],
  ])('follows a product %s: bias, activation, residual', async (_, left, right) => {
    const [a, b] = [placeholder({ shape: left, name: 'a' }), placeholder({ shape: right, name: 'b' })]
    const product = matmul(a, b)
    const shape = product.shape as readonly number[]
    const bias = placeholder({ shape: [shape.at(-1)!], name: 'bias' })
    const rest = placeholder({ shape, name: 'rest' })
    const y = add(tanh(add(product, bias)), rest)
    const shapes = [left, right, [shape.at(-1)!], shape]
    await expectFollowed(
      /^MatMul\+.*Add\+Tanh\+Add$/,
      [y],
      [a, b, bias, rest].map((t, i) => [t, values(shapes[i]!, i + 0.7)] as const),
    )
  })
  it('follows a product with a factor for each row, and keeps what else is read of it', async () => {
    const [a, b] = [placeholder({ shape: [40, 30], name: 'a' }), placeholder({ shape: [30, 21], name: 'b' })]
    const factor = placeholder({ shape: [40, 1], name: 'factor' })
    const scaled = mul(matmul(a, b), factor)
    await expectFollowed(
      /^MatMul\+Mul/,
      [maximum(scaled, 0), scaled],
      [
        [a, values([40, 30], 1.1)],
        [b, values([30, 21], 0.3)],
        [factor, values([40, 1], 2.1)],
      ],
    )
  })
  it('follows convolutions, forward and back', async () => {
    const x = placeholder({ shape: [2, 12, 12, 3], name: 'x' })
    const filter = variable(values([3, 3, 3, 8], 0.9), { name: 'filter' })
    const second = variable(values([3, 3, 8, 4], 1.9), { name: 'second' })
    const bias = variable(values([8], 0.4), { name: 'bias' })
    const hidden = relu(add(conv2d(x, filter), bias))
    const loss = sum(tanh(conv2d(hidden, second, { strides: 2 })))
    const sources = [filter, second, bias]
    const steps = gradients(loss, sources).map((gradient, i) =>
      sources[i]!.assign(sub(sources[i]!, mul(gradient, 0.01))),
    )
    await expectFollowed(/^Conv\+Add\+Relu/, [loss, ...steps], [[x, values([2, 12, 12, 3], 0.2)]])
  })
  it('updates the variable whose gradient a product is', async () => {
    const x = placeholder({ shape: [16, 40], name: 'x' })
    const w = variable(values([40, 50], 0.9), { name: 'w' })
    const velocity = variable(values([40, 50], 0.1), { name: 'velocity' })
    const [gradient] = gradients(sum(tanh(matmul(x, w))), [w])
    const next = add(mul(velocity, 0.9), gradient)
    const fetches = [velocity.assign(next), w.assign(sub(w, mul(next, 0.1)))]
    await expectFollowed(/^MatMul\+.*Assign.*Assign/, fetches, [[x, values([16, 40], 0.2)]])
  })
  // One row, wide enough for several chunks on one thread: each reads all of the row.
  const wide = [
    [1, 1200],
    [1200, 1200],
  ] as const
  it('takes other memory than what its product still reads', async () => {
    const [x, w] = wide.map((shape, i) => placeholder({ shape, name: `x${i}` })) as [Tensor, Tensor]
    const before = tanh(add(matmul(x, w), 1))
    const y = add(mul(matmul(before, w), 0.1), before)
    // Of its two outputs one takes the memory of the product; the value before ends here too.
    await expectFollowed(
      /^MatMul\+.*Add\+Maximum$/,
      [y, maximum(y, 0)],
      [
        [x, values(wide[0], 0.7)],
        [w, values(wide[1], 1.3)],
      ],
    )
  })
  it('leaves the variable alone that its product reads', async () => {
    const w = placeholder({ shape: wide[1], name: 'w' })
    const v = variable(values(wide[0], 0.7), { name: 'v' })
    const next = v.assign(add(mul(matmul(v, w), 0.1), mul(v, 0.5)))
    await expectFollowed(/^MatMul/, [next], [[w, values(wide[1], 1.3)]])
  })
})
