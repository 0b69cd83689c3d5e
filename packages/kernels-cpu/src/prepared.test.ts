// Weights that kernels keep in a form of their own: they lie in memory once, unless something else reads them.
import type { Tensor } from '@shoal/core'
import {
  add,
  constant,
  cond,
  conv,
  greater,
  inspectProgram,
  less,
  matmul,
  ndarray,
  placeholder,
  reference,
  reshape,
  Session,
  sum,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu } from './cpu.ts'

const size = 64
const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i))
const weightBytes = 4 * size * size
const x = placeholder({ shape: [size, size], name: 'x' })
const feeds = { x: ndarray(values(size * size)).reshape([size, size]) }
const weights = () => constant(ndarray(values(size * size)).reshape([size, size]))

/** A product whose second operand is always packed. */
const product = (a: Tensor, b: Tensor) => matmul(a, b, { transposeB: true })

/** What a program keeps, and how far its answer is from the reference device's. */
async function look(y: Tensor) {
  await using session = new Session({ devices: [cpu()] })
  await using exact = new Session({ devices: [reference()] })
  const [program] = await session.programs(y, feeds)
  const { constants, scratch } = inspectProgram(program!).memory
  const [expected, ...answers] = [
    await exact.run(y, feeds),
    await session.run(y, feeds),
    await session.run(y, feeds),
  ].map((answer) => answer.numbers())
  const worst = Math.max(...answers.flatMap((a) => a.map((v, i) => Math.abs(v - expected![i]!))))
  return { constants, prepared: scratch >= weightBytes, isRight: worst < 1e-4 * size }
}

describe('constants that a kernel prepares', () => {
  it('are there in the prepared form only', async () => {
    expect(await look(product(x, weights()))).toEqual({ constants: 0, prepared: true, isRight: true })
    const image = reshape(x, { shape: [1, 8, 8, size] })
    const filter = constant(ndarray(values(9 * size * 8)).reshape([3, 3, size, 8]))
    expect(await look(conv(image, filter))).toEqual({ constants: 0, prepared: true, isRight: true })
  })

  it('are there once for each product of them', async () => {
    const w = weights()
    expect(await look(product(product(x, w), w))).toEqual({ constants: 0, prepared: true, isRight: true })
  })

  it('stay as they are where something else reads them', async () => {
    const w = weights()
    for (const y of [
      add(product(x, w), w),
      add(product(x, w), sum(add(x, reshape(w, { shape: [size, size] })))),
    ])
      expect(await look(y)).toEqual({ constants: weightBytes, prepared: true, isRight: true })
  })

  it('are fetched from the graph', async () => {
    const w = weights()
    await using session = new Session({ devices: [cpu()] })
    const [, fetched] = await session.run([product(x, w), w], feeds)
    expect(fetched.numbers()).toEqual([...values(size * size)])
  })

  it('can be the results of a body', async () => {
    const w = weights()
    const y = cond(
      greater(sum(x), 1e6),
      () => x,
      () => product(product(x, w), w),
    )
    const both = cond(
      less(sum(x), 1e6),
      () => [product(x, w), w],
      () => [x, x],
    )
    for (const t of [y, add(...(both as [Tensor, Tensor]))]) expect((await look(t)).isRight).toBe(true)
  })
})
