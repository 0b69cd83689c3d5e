import { fileURLToPath } from 'node:url'
import type { NDArray, Tensor } from '@shoal/core'
import {
  add,
  argMax,
  biasAdd,
  cast,
  conv2d,
  equal,
  expandDims,
  heUniform,
  matmul,
  maxPool,
  mean,
  mul,
  placeholder,
  relu,
  reference,
  reshape,
  scope,
  Session,
  sparseSoftmaxCrossEntropy,
  variable,
  zeros,
} from '@shoal/core'
import { Dataset, readIdx } from '@shoal/data'
import { file } from '@shoal/data/node'
import { cpu } from '@shoal/kernels-cpu'
import { adam, evaluate, train } from '@shoal/train'
import { beforeAll, describe, expect, it } from 'vitest'
import { quantize, storedBytes, storeFloat16 } from './index.ts'

const open = (name: string) =>
  readIdx(file(fileURLToPath(new URL(`../../../datasets/${name}`, import.meta.url))))

interface Digits {
  readonly images: NDArray
  readonly labels: NDArray
}
let training: Dataset<Digits>
let testing: Dataset<Digits>
beforeAll(async () => {
  const [images, labels] = await Promise.all([
    open('mnist-t10k-images-idx3-ubyte.gz'),
    open('mnist-t10k-labels-idx1-ubyte.gz'),
  ])
  const all = Dataset.fromTensors({ images, labels }).shuffle({ seed: 1, reshuffleEachIteration: false })
  training = all.take(6000)
  testing = all.skip(6000)
})

const images = placeholder({ shape: ['batch', 28, 28], dtype: 'uint8', name: 'images' })
const labels = placeholder({ shape: ['batch'], dtype: 'uint8', name: 'labels' })
const pixels = mul(cast(images, { to: 'float32' }), 1 / 255)

const dense = (name: string, x: Tensor, inputs: number, units: number): Tensor =>
  scope(name, () =>
    add(
      matmul(x, variable(heUniform([inputs, units]), { name: 'weights' })),
      variable(zeros([units]), { name: 'bias' }),
    ),
  )
const convolution = (name: string, x: Tensor, channels: number, filters: number): Tensor =>
  scope(name, () =>
    biasAdd(
      conv2d(x, variable(heUniform([5, 5, channels, filters]), { name: 'weights' }), { padding: 'SAME' }),
      variable(zeros([filters]), { name: 'bias' }),
    ),
  )

/** 784-128-10. */
const perceptron = (): Tensor => {
  const x = reshape(pixels, { shape: [-1, 784] })
  return dense('two', relu(dense('one', x, 784, 128)), 128, 10)
}
/** 28×28 → 8@14×14 → 16@7×7 → 10. */
const convolutional = (): Tensor => {
  const one = maxPool(relu(convolution('one', expandDims(pixels, { axis: -1 }), 1, 8)), 2)
  const two = maxPool(relu(convolution('two', one, 8, 16)), 2)
  return dense('three', reshape(two, { shape: [-1, 7 * 7 * 16] }), 7 * 7 * 16, 10)
}

/** Trains a network and answers its session; calibration batches are the first hundreds of what it learned from. */
async function trained(logits: Tensor, epochs: number) {
  const session = new Session({ devices: [cpu()], seed: 1 })
  const loss = sparseSoftmaxCrossEntropy(logits, cast(labels, { to: 'int32' }), { reduction: 'mean' })
  const step = adam({ learningRate: 0.003 }).minimize(loss)
  await session.initialize(step)
  const data = training.shuffle({ seed: 1 }).batch(60)
  await train({ session, step, fetches: { loss }, data, epochs, feed: (batch) => ({ ...batch }) })
  const seen = await training.batch(100).take(5).toArray()
  return { session, calibration: seen.map((batch) => ({ images: batch.images })) }
}

/** The part of unseen digits that each of these tells right. */
const accuracies = (session: Session, models: Readonly<Record<string, Tensor>>) =>
  evaluate({
    session,
    data: testing.batch(500),
    fetches: Object.fromEntries(
      Object.entries(models).map(([name, logits]) => {
        const right = equal(argMax(logits, { axis: -1 }), cast(labels, { to: 'int32' }))
        return [name, mean(cast(right, { to: 'float32' }))]
      }),
    ),
    feed: (batch) => ({ ...batch }),
  })

describe.each([
  { name: 'a perceptron', build: perceptron, epochs: 4, good: 0.92 },
  { name: 'a convolutional network', build: convolutional, epochs: 1, good: 0.9 },
])('$name that reads digits', ({ build, epochs, good }) => {
  it('loses less than 1 % in int8, in a quarter of the memory, and next to nothing in float16', async () => {
    const logits = build()
    const { session, calibration } = await trained(logits, epochs)
    const int8 = await quantize(logits, { session, calibration })
    const cut = await quantize(logits, { session, calibration, percentile: 99.9 })
    const float16 = await storeFloat16(logits, { session, convolutions: true })
    const found = await accuracies(session, { float32: logits, int8, cut, float16 })
    expect(found['float32']).toBeGreaterThan(good)
    expect(found['int8']).toBeGreaterThan(found['float32']! - 0.01)
    expect(found['cut']).toBeGreaterThan(found['float32']! - 0.01)
    expect(Math.abs(found['float16']! - found['float32']!)).toBeLessThan(0.001)
    expect(storedBytes(int8)).toBeLessThan(0.27 * storedBytes(logits))
    expect(storedBytes(float16)).toBeLessThan(0.55 * storedBytes(logits))

    // Nothing but the feeds decides the answer: other devices give the same bits.
    const feeds = calibration[0]!
    const few = { images: (feeds.images as NDArray).reshape([100, 28, 28]) }
    const expected = await session.run(int8, few)
    await session.close()
    for (const device of [reference(), cpu({ strict: true }), cpu({ threads: 2 })]) {
      await using other = new Session({ devices: [device] })
      expect((await other.run(int8, few)).data).toEqual(expected.data)
    }
  }, 60_000)
})
