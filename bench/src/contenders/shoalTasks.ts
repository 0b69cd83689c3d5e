// Every task as a graph of Shoal: operands are variables, so that they stay where the device computes.
import type { DType, Node, Size, Tensor, Variable } from '@shoal/core'
import {
  add,
  cast,
  conv2d,
  convBackpropFilter,
  convBackpropInput,
  depthwiseConv2d,
  fill,
  layerNorm,
  matmul,
  mul,
  ndarray,
  placeholder,
  sigmoid,
  softmax,
  sum,
  tanh,
  variable,
  windowArgs,
} from '@shoal/core'
import type { ConvTask, Task } from '../work.ts'
import { dtypeOf } from '../work.ts'
import type { Host } from '../values.ts'
import { batchOf, operandsOf, parametersOf, training } from '../values.ts'
import type { Parameters } from './shoalModels.ts'
import { lossOf, models, optimizerOf } from './shoalModels.ts'

/** A task as a graph. */
export interface TaskGraph {
  /** What `result` reads. */
  readonly answer: Tensor
  /** What a timed run asks for: effects alone leave the answer on the device. */
  readonly run: readonly (Tensor | Node)[]
  /** What comes from the host in every run. */
  readonly feeds: readonly (readonly [Tensor, Host<Float32Array | Int32Array>])[]
}

type Operands = { readonly [name: string]: Variable }

/** Operands that stay on the device. */
export const resident = (hosts: { readonly [name: string]: Host }, dtype: DType = 'float32'): Operands =>
  Object.fromEntries(
    Object.entries(hosts).map(([name, { data, shape }]) => [
      name,
      variable(ndarray(data, dtype, shape), { name }),
    ]),
  )

/** Builds the graph of a task. */
export function graphOf(task: Task): TaskGraph {
  switch (task.kind) {
    case 'train':
      return trainingGraph(task.model, task.batch)
    case 'infer': {
      const { x } = batchOf(task.model, task.batch)
      const input = placeholder({ shape: x.shape, name: 'x' })
      const answer = softmax(models[task.model](input, resident(parametersOf(task.model)) as Parameters))
      return { answer, run: [answer], feeds: [[input, x]] }
    }
    case 'adds': {
      const x = placeholder({ shape: [], name: 'x' })
      let chain: Tensor = x
      for (let i = 0; i < task.length; i++) chain = add(chain, x)
      return { answer: chain, run: [chain], feeds: [[x, operandsOf(task)['x']!]] }
    }
    default: {
      const dtype = dtypeOf(task)
      const answer = computed(task, resident(operandsOf(task), dtype))
      // Written to a variable, it stays on the device.
      const kept = variable(fill({ shape: answer.shape as Size, dtype }), { name: 'answer' })
      return { answer: cast(answer, { to: 'float32' }), run: [kept.assign(answer).node], feeds: [] }
    }
  }
}

/** Tasks that compute one tensor from operands. */
export type Computed = Exclude<Task, { kind: 'train' | 'infer' | 'adds' }>

/** The answer of a task from operands by name. */
export function computed(task: Computed, operands: Operands): Tensor {
  const { a, b, c, d, x, filter, dy, scale, offset } = operands as Record<string, Variable> & {
    readonly [name in 'a' | 'b' | 'c' | 'd' | 'x' | 'filter' | 'dy' | 'scale' | 'offset']: Variable
  }
  switch (task.kind) {
    case 'matmul':
      return matmul(a, b, { transposeA: task.transposeA, transposeB: task.transposeB })
    case 'multiplyAdd':
      return add(mul(a, b), c)
    case 'gatedSum':
      return sum(mul(tanh(add(mul(a, b), c)), sigmoid(d)))
    case 'softmax':
      return softmax(x)
    case 'layerNorm':
      return layerNorm(x, scale, offset)
    case 'sum':
      return sum(x, { axes: [task.axis] })
    case 'conv':
      return convolution(task, { x, filter, dy })
    case 'depthwise':
      return depthwiseConv2d(x, filter, { padding: 'SAME' })
    default:
      return task satisfies never
  }
}

function convolution(
  { pass, batch, size, channels, window, filters }: ConvTask,
  { x, filter, dy }: { readonly [name in 'x' | 'filter' | 'dy']: Variable },
): Tensor {
  const attrs = { ...windowArgs({ padding: 'SAME' }, 2), groups: 1 }
  switch (pass) {
    case 'forward':
      return conv2d(x, filter, { padding: 'SAME' })
    case 'toInput':
      return convBackpropInput(fill({ shape: [batch, size, size, channels] }), filter, dy, attrs)
    case 'toFilter':
      return convBackpropFilter(x, fill({ shape: [window, window, channels, filters] }), dy, attrs)
    default:
      return pass satisfies never
  }
}

function trainingGraph(model: keyof typeof models, batch: number): TaskGraph {
  const hosts = batchOf(model, batch)
  const x = placeholder({ shape: hosts.x.shape, name: 'x' })
  const labels = placeholder({ shape: [batch], dtype: 'int32', name: 'labels' })
  const loss = lossOf(models[model](x, resident(parametersOf(model)) as Parameters), labels)
  const step = optimizerOf(training[model]).minimize(loss)
  return {
    answer: loss,
    run: [loss, step],
    feeds: [
      [x, hosts.x],
      [labels, hosts.labels],
    ],
  }
}
