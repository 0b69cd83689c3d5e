// The MLP on Fashion-MNIST with jax-js: arguments are the folder of the data and the number of epochs.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax'

await init('wasm')
defaultDevice('wasm')
const [folder, epochs] = [process.argv[2], Number(process.argv[3])]
const read = (name, header) => gunzipSync(readFileSync(`${folder}/${name}`)).subarray(header)
const readSet = (part) => ({
  images: read(`${part}-images-idx3-ubyte.gz`, 16),
  labels: read(`${part}-labels-idx1-ubyte.gz`, 8),
})

const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
const dense = (inputs, outputs) => ({
  w: np.array(
    Float32Array.from({ length: inputs * outputs }, () => normal() * Math.sqrt(2 / inputs)),
    {
      shape: [inputs, outputs],
    },
  ),
  b: np.zeros([outputs]),
})
const forward = (layers, x) => {
  let h = x
  layers.forEach(({ w, b }, i) => {
    const z = np.matmul(h, w).add(b)
    h = i < layers.length - 1 ? nn.relu(z) : z
  })
  return h
}
const loss = (layers, x, labels) =>
  nn.logSoftmax(forward(layers, x), -1).mul(nn.oneHot(labels, 10)).sum(-1).mean().neg()

const step = jit((layers, means, squares, x, labels, share1, share2) => {
  const [value, gradients] = valueAndGrad(loss)(tree.ref(layers), x, labels)
  const next = layers.map((layer, i) =>
    Object.fromEntries(
      Object.keys(layer).map((name) => {
        const gradient = gradients[i][name]
        const mean = means[i][name].mul(0.9).add(gradient.ref.mul(0.1))
        const square = squares[i][name].mul(0.999).add(np.square(gradient).mul(0.001))
        const size = np.sqrt(square.ref.div(share2.ref)).add(1e-8)
        const moved = layer[name].sub(mean.ref.div(share1.ref).div(size).mul(1e-3))
        return [name, { moved, mean, square }]
      }),
    ),
  )
  share1.dispose()
  share2.dispose()
  const part = (key) =>
    next.map((layer) => Object.fromEntries(Object.entries(layer).map(([name, all]) => [name, all[key]])))
  return [value, part('moved'), part('mean'), part('square')]
})

let layers = [dense(784, 512), dense(512, 256), dense(256, 10)]
const zerosLike = () => layers.map(({ w, b }) => ({ w: np.zeros(w.shape), b: np.zeros(b.shape) }))
let [means, squares] = [zerosLike(), zerosLike()]

const train = readSet('train')
const order = Int32Array.from({ length: train.labels.length }, (_, i) => i)
const shuffle = () => {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
}
const batchOf = ({ images, labels }, indices) => {
  const x = new Float32Array(indices.length * 784)
  indices.forEach((index, i) => {
    for (let k = 0; k < 784; k++) x[i * 784 + k] = images[index * 784 + k] / 255
  })
  return [
    np.array(x, { shape: [indices.length, 784] }),
    np.array(
      Int32Array.from(indices, (index) => labels[index]),
      { dtype: np.int32 },
    ),
  ]
}
let steps = 0
const seconds = []
for (let epoch = 0; epoch < epochs; epoch++) {
  const start = performance.now()
  shuffle()
  for (let from = 0; from < order.length; from += 128) {
    steps++
    const shares = [1 - 0.9 ** steps, 1 - 0.999 ** steps].map((share) => np.array(share))
    const [x, labels] = batchOf(train, order.subarray(from, from + 128))
    let value
    ;[value, layers, means, squares] = step(layers, means, squares, x, labels, ...shares)
    value.item()
  }
  seconds.push((performance.now() - start) / 1000)
}
const megabytes = process.memoryUsage.rss() / 1e6
const test = readSet('t10k')
const [x] = batchOf(
  test,
  Int32Array.from({ length: 10_000 }, (_, i) => i),
)
const guesses = np.argmax(forward(layers, x), -1).js()
const right = guesses.filter((guess, i) => guess === test.labels[i]).length
console.log(JSON.stringify({ seconds, megabytes, accuracy: right / guesses.length }))
