// Trains the MLP on Fashion-MNIST as a user would, and prints what it took: arguments are the folder of the data and the number of epochs.
import {
  add,
  argMax,
  cast,
  equal,
  fill,
  heNormal,
  matmul,
  mean,
  mul,
  placeholder,
  relu,
  reshape,
  scope,
  Session,
  sparseSoftmaxCrossEntropy,
  variable,
} from '@shoal/core'
import type { Tensor } from '@shoal/core'
import { Dataset, readIdx } from '@shoal/data'
import { file } from '@shoal/data/node'
import { cpu } from '@shoal/kernels-cpu'
import { adam, evaluate, train } from '@shoal/train'

const [folder, epochs] = [process.argv[2]!, Number(process.argv[3])]

const read = async (part: 'train' | 't10k') =>
  Dataset.fromTensors({
    images: await readIdx(file(`${folder}/${part}-images-idx3-ubyte.gz`)),
    labels: await readIdx(file(`${folder}/${part}-labels-idx1-ubyte.gz`)),
  })

const dense = (name: string, x: Tensor, inputs: number, outputs: number): Tensor =>
  scope(name, () =>
    add(
      matmul(x, variable(heNormal([inputs, outputs]), { name: 'weights' })),
      variable(fill({ shape: [outputs] }), { name: 'bias' }),
    ),
  )

const images = placeholder({ shape: ['batch', 28, 28], dtype: 'uint8', name: 'images' })
const labels = placeholder({ shape: ['batch'], dtype: 'uint8', name: 'labels' })
const x = mul(cast(reshape(images, { shape: [-1, 784] }), { to: 'float32' }), 1 / 255)
const hidden = relu(dense('two', relu(dense('one', x, 784, 512)), 512, 256))
const logits = dense('three', hidden, 256, 10)
const classes = cast(labels, { to: 'int32' })
const loss = mean(sparseSoftmaxCrossEntropy(logits, classes))
const accuracy = mean(cast(equal(argMax(logits, { axis: -1 }), classes), { to: 'float32' }))
const step = adam({ learningRate: 1e-3 }).minimize(loss)

await using session = new Session({ devices: [cpu({ threads: 1 })], seed: 1 })
await session.initialize(loss, step)
const data = (await read('train')).shuffle({ seed: 1 }).batch(128)
const seconds: number[] = []
for (let epoch = 0; epoch < epochs; epoch++) {
  const start = performance.now()
  await train({ session, step, data, epochs: 1, fetches: { loss }, feed: (batch) => ({ ...batch }) })
  seconds.push((performance.now() - start) / 1000)
}
const megabytes = process.memoryUsage.rss() / 1e6
const { accuracy: found } = await evaluate({
  session,
  data: (await read('t10k')).batch(250),
  fetches: { accuracy },
  feed: (batch) => ({ ...batch }),
})
console.log(JSON.stringify({ seconds, megabytes, accuracy: found }))
