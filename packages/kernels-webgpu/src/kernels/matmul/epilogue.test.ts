import type { Tensor } from '@shoal/core'
import {
  add,
  gradients,
  matmul,
  maximum,
  mul,
  NDArray,
  placeholder,
  Session,
  sizeOf,
  sub,
  sum,
  tanh,
  variable,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { webgpu } from '../../webgpu.ts'

const values = (shape: readonly number[], seed: number): NDArray<'float32'> =>
  new NDArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * seed + seed)),
  )

type Feeds = readonly (readonly [Tensor, NDArray])[]

/** Runs fetches twice, and answers the second values and the kernels. */
async function run(session: Session, fetches: readonly Tensor[], feeds: Feeds) {
  await session.initialize(fetches)
  const ops: string[] = []
  await session.run(fetches, feeds)
  const all = await session.run(fetches, feeds, { onTrace: (events) => ops.push(...events.map((e) => e.op)) })
  await session[Symbol.asyncDispose]()
  return { ops, values: all.map((value) => value.numbers() as number[]) }
}

async function expectFollowed(
  kernel: RegExp,
  fetches: readonly Tensor[],
  feeds: Feeds,
  tolerance = 1e-4,
): Promise<void> {
  const expected = await run(new Session({ fusion: false }), fetches, feeds)
  const actual = await run(new Session({ devices: [await webgpu()] }), fetches, feeds)
  expect(
    actual.ops.some((op) => kernel.test(op)),
    actual.ops.join(' '),
  ).toBe(true)
  actual.values.forEach((list, i) => {
    const exact = expected.values[i]!
    const scale = Math.max(1, ...exact.map(Math.abs))
    list.forEach((x, k) => expect(Math.abs(x - exact[k]!) / scale).toBeLessThan(tolerance))
  })
}

describe('an epilogue', () => {
  it.each<[string, readonly number[], readonly number[]]>([
    ['of little work', [10, 12], [12, 9]],
    ['of tiles', [70, 33], [33, 130]],
    ['of one row', [1, 300], [300, 130]],
    ['of one column', [90, 300], [300, 1]],
    ['of parts of k', [20, 3000], [3000, 21]],
    ['of a broadcast batch', [6, 40, 36], [36, 60]],
  ])('follows a product %s: bias, activation, residual', async (_, left, right) => {
    const [a, b] = [placeholder({ shape: left, name: 'a' }), placeholder({ shape: right, name: 'b' })]
    const product = matmul(a, b)
    const shape = product.shape as readonly number[]
    const bias = placeholder({ shape: [shape.at(-1)!], name: 'bias' })
    const rest = placeholder({ shape, name: 'rest' })
    const y = add(maximum(add(product, bias), 0), rest)
    const shapes = [left, right, [shape.at(-1)!], shape]
    const feeds = [a, b, bias, rest].map((t, i) => [t, values(shapes[i]!, i + 0.7)] as const)
    await expectFollowed(/^MatMul\+.*Add/, [y], feeds)
  })
  it.each([
    ['one by one', 40, 50],
    ['in fours, in place', 72, 132],
  ])('updates the variable whose gradient a product is, %s', async (_, from, to) => {
    const x = placeholder({ shape: [16, from], name: 'x' })
    const w = variable(values([from, to], 0.9), { name: 'w' })
    const velocity = variable(values([from, to], 0.1), { name: 'velocity' })
    const [gradient] = gradients(sum(tanh(matmul(x, w))), [w])
    const next = add(mul(velocity, 0.9), gradient)
    const fetches = [velocity.assign(next), w.assign(sub(w, mul(next, 0.1)))]
    await expectFollowed(/^MatMul\+.*Assign.*Assign/, fetches, [[x, values([16, from], 0.2)]])
  })
  it('follows a product of float16, whose words four neighbours fill', async () => {
    const half = (shape: readonly number[], seed: number) => values(shape, seed).cast('float16')
    const [a, b, bias] = ([[70, 33], [33, 132], [132]] as const).map(
      (shape, i) => [placeholder({ shape, dtype: 'float16', name: `x${i}` }), half(shape, i + 0.7)] as const,
    )
    const y = maximum(add(matmul(a![0], b![0]), bias![0]), 0)
    await expectFollowed(/^MatMul\+.*Add/, [y], [a!, b!, bias!], 2 ** -9)
  })
})
