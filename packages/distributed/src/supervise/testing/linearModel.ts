// A small problem with a known answer, for tests: y = 3 x₀ - 2 x₁ + 1, learned by replicas on parameter servers.
import type { Node, Tensor, Variable } from '@shoal/core'
import {
  add,
  constant,
  device,
  fill,
  matmul,
  mean,
  placeholder,
  square,
  sub,
  threefry,
  variable,
} from '@shoal/core'
import { allVariables, gradientDescent } from '@shoal/train'
import type { ClusterSpec } from '../../cluster/clusterSpec.ts'
import { replicaDeviceSetter } from '../../placement/replicaDeviceSetter.ts'

/** A replica's graph. */
export interface LinearModel {
  /** What a step fetches. */
  readonly fetches: { readonly loss: Tensor; readonly step: Node }
  readonly globalStep: Variable
  readonly variables: readonly Variable[]
}

/** The graph of one replica: variables go to the parameter servers in turn, the global step to the first, and anywhere where there is none. */
export function linearModel(cluster: ClusterSpec, task: number, job = 'worker'): LinearModel {
  const place = replicaDeviceSetter({ cluster, workerDevice: `/job:${job}/task:${task}` })
  return device(place, () => {
    const globalStep = variable(constant(0, 'int32'), { name: 'globalStep', trainable: false })
    const w = variable(fill({ shape: [2, 1] }), { name: 'w' })
    const b = variable(0, { name: 'b' })
    const x = placeholder({ shape: [8, 2], name: 'x' })
    const y = placeholder({ shape: [8, 1], name: 'y' })
    const loss = mean(square(sub(add(matmul(x, w), b), y)))
    const step = gradientDescent({ learningRate: 0.1 }).minimize(loss, { globalStep })
    return { fetches: { loss, step }, globalStep, variables: allVariables(step, loss) }
  })
}

/** A batch of examples without noise: the same number, the same batch. */
export function linearBatch(number: number): { readonly x: number[][]; readonly y: number[][] } {
  const x = Array.from({ length: 8 }, (_, i) =>
    threefry([number, 7], [i, 0]).map((bits) => (bits >>> 0) / 2 ** 31 - 1),
  )
  return { x, y: x.map(([a = 0, b = 0]) => [3 * a - 2 * b + 1]) }
}
