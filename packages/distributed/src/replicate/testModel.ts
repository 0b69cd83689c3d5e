// A small model for tests of replication: an embedding and a hidden layer, with examples that are the same whoever asks.
import type { NDArray, Tensor, Variable } from '@shoal/core'
import {
  add,
  device,
  gather,
  matmul,
  mean,
  ndarray,
  placeholder,
  square,
  sub,
  tanh,
  variable,
} from '@shoal/core'
import type { GradientPair } from '@shoal/train'
import { lossGradients } from '@shoal/train'
import { replicaFilters } from '../cluster/deviceFilters.ts'
import { replicaDeviceSetter } from '../placement/replicaDeviceSetter.ts'
import type { Server } from '../server/server.ts'
import type { TestCluster } from '../server/testCluster.ts'

/** The model as one replica builds it. */
export interface Model {
  readonly globalStep: Variable
  readonly weights: readonly Variable[]
  readonly loss: Tensor
  readonly pairs: readonly GradientPair[]
}

const wave = (shape: readonly number[], phase: number): NDArray =>
  ndarray(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(phase + 1.7 * i)),
  ).reshape(shape)

/** An embedding, the weights of a hidden layer and those of the output. */
export const makeWeights = (): [table: Variable, hidden: Variable, out: Variable] => [
  variable(wave([6, 3], 1), { name: 'table' }),
  variable(wave([2, 3], 2), { name: 'hidden' }),
  variable(wave([3, 1], 3), { name: 'out' }),
]

/** The mean loss over some examples. */
export function lossOf(
  [table, hidden, out]: ReturnType<typeof makeWeights>,
  { x, words, y }: { readonly x: Tensor; readonly words: Tensor; readonly y: Tensor },
): Tensor {
  const h = tanh(add(matmul(x, hidden), gather(table, words)))
  return mean(square(sub(matmul(h, out), y)))
}

/** The model, and what it is trained by. */
export function buildModel(): Model {
  const globalStep = variable(0, { name: 'global_step', dtype: 'int32', trainable: false })
  const weights = makeWeights()
  const loss = lossOf(weights, {
    x: placeholder({ shape: ['n', 2], name: 'x' }),
    words: placeholder({ shape: ['n'], dtype: 'int32', name: 'words' }),
    y: placeholder({ shape: ['n', 1], name: 'y' }),
  })
  return { globalStep, weights, loss, pairs: lossGradients(loss) }
}

/** Examples `from` to `to` of a step's global batch. */
export function examples(step: number, from: number, to: number) {
  const rows = Array.from({ length: to - from }, (_, i) => step * 16 + from + i)
  const word = (i: number): number => (i * i + step) % 6
  const column = (f: (i: number) => number): Float32Array => Float32Array.from(rows, f)
  return {
    x: ndarray(Float32Array.from(rows.flatMap((i) => [Math.sin(i), Math.cos(3 * i)]))).reshape([
      rows.length,
      2,
    ]),
    words: ndarray(Int32Array.from(rows, word)),
    y: ndarray(column((i) => Math.sin(2 * i) + word(i) / 6)).reshape([rows.length, 1]),
  }
}

/** What `build` makes as worker `task` of a cluster, with the variables on its parameter servers. */
export const asWorker = <T>({ spec }: TestCluster, task: number, build: () => T): T =>
  device(replicaDeviceSetter({ cluster: spec, workerDevice: `/job:worker/task:${task}` }), build)

/** A session of worker `task`, as in between-graph replication. @param anew its server, if that is not the first one. */
export function sessionOf({ spec, servers }: TestCluster, task: number, anew?: Server) {
  const server = anew ?? servers[spec.tasksOf('ps').length + task]!
  return server.session({ deviceFilters: replicaFilters({ job: 'worker', task }) })
}

/** The largest difference between arrays, relative to the largest element of each. */
export function relativeError(actual: readonly NDArray[], expected: readonly NDArray[]): number {
  return Math.max(
    ...expected.map((array, k) => {
      const [a, b] = [actual[k]!.numbers(), array.numbers()]
      return Math.max(...b.map((x, i) => Math.abs(x - a[i]!))) / Math.max(...b.map(Math.abs))
    }),
  )
}

/** Asks again and again, until it is so. */
export async function until(ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask()));
}
