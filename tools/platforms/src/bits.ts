// A few training steps as one number: equal on every engine, whatever the number of threads, as long as multiply-add is not fused.
import {
  add,
  biasAdd,
  constant,
  conv2d,
  dropout,
  erf,
  exp,
  fill,
  gradients,
  group,
  log,
  matmul,
  maxPool,
  mean,
  mul,
  type NDArray,
  randomNormal,
  relu,
  reshape,
  Session,
  sigmoid,
  sin,
  softmax,
  sparseSoftmaxCrossEntropy,
  sum,
  tanh,
  type Tensor,
  variable,
} from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'

/** Products, convolutions, poolings and random numbers, forward and backward: large enough for threads to share. */
function training() {
  const weight = (name: string, shape: readonly number[]) => variable(mul(randomNormal(shape), 0.2), { name })
  const weights = [
    weight('filter', [3, 3, 1, 8]),
    variable(fill({ shape: [8] }), { name: 'bias' }),
    weight('dense', [1152, 10]),
  ] as const
  const [filter, bias, dense] = weights
  const images = randomNormal([64, 24, 24, 1])
  const labels = constant(Int32Array.from({ length: 64 }, (_, i) => i % 10))
  const pooled = maxPool(relu(biasAdd(conv2d(images, filter, { padding: 'SAME' }), bias)), 2)
  const kept = dropout(reshape(pooled, { shape: [64, 1152] }), { rate: 0.25 })
  const loss = mean(sparseSoftmaxCrossEntropy(matmul(kept, dense), labels))
  const found = gradients(loss, weights)
  return { loss, step: group(...weights.map((w, i) => w.assignSub(mul(found[i]!, 0.1)))), weights }
}

/** Functions that engines do not have, and that kernels compute by themselves. */
function functions(): Tensor[] {
  const x = randomNormal([400, 1000])
  return [
    sum(mul(tanh(x), sigmoid(x))),
    mean(add(sin(x), exp(x)), { axes: [0] }),
    softmax(erf(log(mul(x, x)))),
  ]
}

/** The answers of a few steps as a SHA-256 in hexadecimal, computed by the strict cpu device with `threads` threads. */
export async function bits(threads: number): Promise<string> {
  // No `await using`: this file also runs as it is on Node 22, which does not have it.
  const device = cpu({ strict: true, threads })
  const session = new Session({ devices: [device], seed: 5 })
  /** In the second run threads have the code too: nothing else waits for them. */
  const twice = async (run: () => Promise<readonly NDArray[]>): Promise<readonly NDArray[]> => {
    const first = await run()
    await device.ready()
    return [...first, ...(await run())]
  }
  try {
    const { loss, step, weights } = training()
    const others = functions()
    await session.initialize(step)
    const values = [
      ...(await twice(async () => [(await session.run([loss, step]))[0]])),
      ...(await session.run(weights)),
      ...(await twice(() => session.run(others))),
    ]
    const bytes = new Blob(values.map((value) => value.bytes as Uint8Array<ArrayBuffer>))
    const digest = await crypto.subtle.digest('SHA-256', await bytes.arrayBuffer())
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
  } finally {
    await session.close()
  }
}
