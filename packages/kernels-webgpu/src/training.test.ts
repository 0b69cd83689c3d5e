// A network trains alike on the GPU and on the processor, and on both of them together; a step is one submission.
import type { Device, Node, Tensor } from '@shoal/core'
import {
  biasAdd,
  conv2d,
  device as on,
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
import { cpu } from '@shoal/kernels-cpu'
import { describe, expect, it } from 'vitest'
import { webgpu } from './webgpu.ts'

interface Model {
  readonly loss: Tensor
  readonly step: Node
}

/** Two convolutions with pooling, dropout and a dense layer over images of 12×12; `head` says where the dense layer is. */
function network(head = ''): Model {
  const x = placeholder({ shape: ['batch', 12, 12, 1], name: 'x' })
  const labels = placeholder({ shape: ['batch'], dtype: 'int32', name: 'labels' })
  const weight = (name: string, shape: readonly number[]) => variable(mul(randomNormal(shape), 0.2), { name })
  const bias = (name: string, size: number) => variable(fill({ shape: [size] }), { name })
  const filters = [weight('filter1', [3, 3, 1, 8]), weight('filter2', [3, 3, 8, 8])] as const
  const biases = [bias('bias1', 8), bias('bias2', 8)] as const
  const first = maxPool(relu(biasAdd(conv2d(x, filters[0], { padding: 'SAME' }), biases[0])), 2)
  const second = maxPool(relu(biasAdd(conv2d(first, filters[1], { padding: 'SAME' }), biases[1])), 2)
  return on(head, () => {
    const dense = weight('dense', [72, 5])
    const kept = dropout(reshape(second, { shape: ['batch', 72] }), { rate: 0.25 })
    const loss = mean(sparseSoftmaxCrossEntropy(matmul(kept, dense), labels))
    const weights = [...filters, ...biases, dense]
    const found = gradients(loss, weights)
    return { loss, step: group(...weights.map((w, i) => w.assignSub(mul(found[i]!, 0.1)))) }
  })
}

const batch = 8
const feeds = (step: number) => ({
  x: Float32Array.from({ length: batch * 144 }, (_, i) => Math.sin(i * i + step)),
  labels: Int32Array.from({ length: batch }, (_, i) => (i + step) % 5),
})

async function train(devices: readonly Device[], { loss, step }: Model, steps: number): Promise<number[]> {
  await using session = new Session({ devices, seed: 3 })
  await session.initialize(loss, step)
  const losses: number[] = []
  for (let i = 0; i < steps; i++) losses.push((await session.run([loss, step], feeds(i)))[0].item() as number)
  return losses
}

const expectAlike = (losses: readonly number[], expected: readonly number[]): void => {
  expect(losses.length).toBe(expected.length)
  losses.forEach((loss, i) => expect(Math.abs(loss - expected[i]!), `step ${i}`).toBeLessThan(1e-3))
}

describe('training', () => {
  it('has the same losses on the GPU as on the processor after 100 steps', async () => {
    const expected = await train([cpu()], network(), 100)
    expectAlike(await train([await webgpu()], network(), 100), expected)
  })
  it('has them too with half of the network on each', async () => {
    const expected = await train([cpu()], network(), 10)
    expectAlike(await train([await webgpu(), cpu()], network('/device:cpu:0'), 10), expected)
    expectAlike(await train([cpu(), await webgpu()], network('/device:webgpu:0'), 10), expected)
  })
})

describe('a training step', () => {
  it('is one submission, and reads back nothing but what is fetched', async () => {
    const device = await webgpu()
    const { loss, step } = network()
    await using session = new Session({ devices: [device], seed: 3 })
    await session.initialize(loss, step)
    for (let i = 0; i < 2; i++) await session.run([loss, step], feeds(i))
    const before = device.counts()
    await session.run([loss, step], feeds(2))
    const after = device.counts()
    expect(after.submits - before.submits).toBe(1)
    expect(after.readBytes - before.readBytes).toBe(4)
    expect(after.pipelines).toBe(before.pipelines)
    expect(after.heldBytes).toBe(before.heldBytes)
    // Images, labels and the key of the dropout.
    expect(after.uploadedBytes - before.uploadedBytes).toBe(batch * 144 * 4 + batch * 4 + 8)
    expect(after.dispatches - before.dispatches).toBeLessThanOrEqual(24)
  })
  it('says how long its kernels take, where there are timestamps', async ({ skip }) => {
    const device = await webgpu()
    const { loss, step } = network()
    await using session = new Session({ devices: [device], seed: 3 })
    skip(!device.features.has('timestamp-query'), 'this adapter has no timestamps')
    await session.initialize(loss, step)
    const before = device.counts().dispatches
    const times = await device.profile(() => session.run([loss, step], feeds(0)))
    expect(times.length).toBe(device.counts().dispatches - before)
    expect(times.some(({ kernel }) => kernel.includes('convBackpropFilter'))).toBe(true)
    expect(times.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0)).toBeGreaterThan(0)
    // Work that fails ends its profile too.
    const failing = device.profile(async () => {
      await session.run([loss, step], feeds(0))
      throw new Error('no more')
    })
    await expect(failing).rejects.toThrow('no more')
    expect((await device.profile(() => session.run(loss, feeds(0)))).length).toBeGreaterThan(0)
  })
})
