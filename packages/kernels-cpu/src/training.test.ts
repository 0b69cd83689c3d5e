// A training run is the same bit by bit: with any number of threads, and again with the same seed.
import type { Node, Tensor, Variable } from '@shoal/core'
import {
  add,
  biasAdd,
  conv2d,
  dropout,
  fill,
  gradients,
  group,
  matmul,
  maxPool,
  mean,
  mul,
  placeholder,
  randomNormal,
  relu,
  reshape,
  Session,
  sparseSoftmaxCrossEntropy,
  variable,
} from '@shoal/core'
import { expect, it } from 'vitest'
import { cpu } from './index.ts'

interface Model {
  readonly loss: Tensor
  readonly step: Node
  readonly weights: readonly Variable[]
}

function network(): Model {
  const x = placeholder({ shape: ['batch', 12, 12, 1], name: 'x' })
  const labels = placeholder({ shape: ['batch'], dtype: 'int32', name: 'labels' })
  const weight = (name: string, shape: readonly number[]): Variable =>
    variable(mul(randomNormal(shape), 0.2), { name })
  const weights = [
    weight('filter', [3, 3, 1, 8]),
    variable(fill({ shape: [8] }), { name: 'bias' }),
    weight('dense', [288, 5]),
  ] as const
  const [filter, bias, dense] = weights
  const h = maxPool(relu(biasAdd(conv2d(x, filter, { padding: 'SAME' }), bias)), 2)
  const kept = dropout(reshape(h, { shape: ['batch', 288] }), { rate: 0.25 })
  const loss = mean(sparseSoftmaxCrossEntropy(add(matmul(kept, dense), 0), labels))
  const found = gradients(loss, weights)
  return { loss, step: group(...weights.map((w, i) => w.assignSub(mul(found[i]!, 0.1)))), weights }
}

async function train({ loss, step, weights }: Model, threads: number, seed: number): Promise<unknown[]> {
  const device = cpu({ threads })
  await using session = new Session({ devices: [device], seed })
  await session.initialize(step)
  const feeds = {
    x: Float32Array.from({ length: 64 * 144 }, (_, i) => Math.sin(i * i)),
    labels: Int32Array.from({ length: 64 }, (_, i) => i % 5),
  }
  const losses: unknown[] = []
  for (let i = 0; i < 6; i++) {
    losses.push((await session.run([loss, step], feeds))[0].item())
    await device.ready()
  }
  return [...losses, ...(await session.run(weights)).map((w) => w.toArray())]
}

it('trains to the same bits with 1, 2 and 4 threads', async () => {
  const model = network()
  const alone = await train(model, 1, 3)
  expect(await train(model, 2, 3)).toEqual(alone)
  expect(await train(model, 4, 3)).toEqual(alone)
})

it('trains to the same bits from the same seed, and to others from another', async () => {
  const model = network()
  const first = await train(model, 1, 3)
  expect(await train(model, 1, 3)).toEqual(first)
  expect(await train(model, 1, 4)).not.toEqual(first)
})
