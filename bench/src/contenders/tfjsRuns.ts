// What TensorFlow.js does for each task, on whichever backend: ops that run at once, memory given back by `tidy`, training by its own optimizers.
import type { Runs } from '../contender.ts'
import type { Host } from '../values.ts'
import { batchOf, operandsOf } from '../values.ts'
import type { ConvTask, Task } from '../work.ts'
import { dtypeOf } from '../work.ts'
import { tfModel, tfOptimizer } from './tfjsModels.ts'
import type { Tensor, Tf } from './tfjsTypes.ts'

const upload = (tf: Tf, { data, shape }: Host): Tensor => tf.tensor(data, shape)

/** How an answer is read: at once where the backend can, else when it has come. */
export type Read = (x: Tensor) => Float32Array | Promise<Float32Array>

/** The runs of a task on the backend that is set; undefined where it lacks a kernel, or the library the dtype. */
export async function tfRuns(tf: Tf, task: Task, read: Read): Promise<Runs | undefined> {
  if (dtypeOf(task) !== 'float32') return undefined
  try {
    return await runsOf(tf, task, read)
  } catch (error) {
    if (/not registered/.test(String(error))) return undefined
    throw error
  }
}

async function runsOf(tf: Tf, task: Task, read: Read): Promise<Runs> {
  switch (task.kind) {
    case 'train': {
      const model = tfModel(tf, task.model)
      const optimizer = tfOptimizer(tf, task.model)
      const { x, labels } = batchOf(task.model, task.batch)
      const step = (): ReturnType<Read> =>
        readOnce(tf, read, () => {
          const images = upload(tf, x)
          const classes = tf.oneHot(tf.tensor(labels.data, labels.shape, 'int32'), 10)
          return optimizer.minimize(
            () => tf.losses.softmaxCrossEntropy(classes, model.logits(images)),
            true,
            model.variables,
          )
        })
      const losses = new Float32Array(3)
      for (let i = 0; i < losses.length; i++) losses[i] = (await step())[0]!
      return {
        run: step,
        result: async () => losses,
        close() {
          optimizer.dispose()
          model.variables.forEach((each) => each.dispose())
        },
      }
    }
    case 'infer': {
      const model = tfModel(tf, task.model)
      const { x } = batchOf(task.model, task.batch)
      return reading(tf, read, () => tf.softmax(model.logits(upload(tf, x))), model.variables)
    }
    case 'adds': {
      const { x } = operandsOf(task)
      const chain = (): Tensor => {
        const first = upload(tf, x!)
        let sum = first
        for (let i = 0; i < task.length; i++) sum = tf.add(sum, first)
        return sum
      }
      return reading(tf, read, chain, [])
    }
    default: {
      const operands = Object.fromEntries(
        Object.entries(operandsOf(task)).map(([name, host]) => [name, upload(tf, host)]),
      )
      const compute = (): Tensor => tf.tidy(() => computed(tf, task, operands))
      // Says at once where the backend lacks a kernel.
      compute().dispose()
      return {
        run: () => compute().dispose(),
        result: async () => (await readOnce(tf, read, compute)).slice(),
        close: () => Object.values(operands).forEach((tensor) => tensor.dispose()),
      }
    }
  }
}

/** Computes, reads, and gives the memory back. */
function readOnce(tf: Tf, read: Read, compute: () => Tensor): ReturnType<Read> {
  const answer = tf.tidy(compute)
  const data = read(answer)
  if (data instanceof Promise) return data.finally(() => answer.dispose())
  answer.dispose()
  return data
}

/** Runs whose answer is read in each of them. */
const reading = (tf: Tf, read: Read, compute: () => Tensor, kept: readonly Tensor[]): Runs => ({
  run: () => readOnce(tf, read, compute),
  result: async () => (await readOnce(tf, read, compute)).slice(),
  close: () => kept.forEach((tensor) => tensor.dispose()),
})

function computed(
  tf: Tf,
  task: Exclude<Task, { kind: 'train' | 'infer' | 'adds' }>,
  operands: { readonly [name: string]: Tensor },
): Tensor {
  const get = (name: string): Tensor => operands[name]!
  switch (task.kind) {
    case 'matmul':
      return tf.matMul(get('a'), get('b'), task.transposeA, task.transposeB)
    case 'multiplyAdd':
      return tf.add(tf.mul(get('a'), get('b')), get('c'))
    case 'gatedSum':
      return tf.sum(tf.mul(tf.tanh(tf.add(tf.mul(get('a'), get('b')), get('c'))), tf.sigmoid(get('d'))))
    case 'softmax':
      return tf.softmax(get('x'))
    case 'layerNorm': {
      const { mean, variance } = tf.moments(get('x'), -1, true)
      const deviation = tf.sqrt(tf.add(variance, tf.scalar(1e-5)))
      return tf.add(tf.mul(tf.div(tf.sub(get('x'), mean), deviation), get('scale')), get('offset'))
    }
    case 'sum':
      return tf.sum(get('x'), task.axis)
    case 'conv':
      return convolution(tf, task, operands)
    case 'depthwise':
      return tf.depthwiseConv2d(get('x'), get('filter'), 1, 'same')
    default:
      return task satisfies never
  }
}

function convolution(tf: Tf, task: ConvTask, operands: { readonly [name: string]: Tensor }): Tensor {
  const { pass, batch, size, channels, window, filters } = task
  const { x, filter, dy } = operands
  switch (pass) {
    case 'forward':
      return tf.conv2d(x!, filter!, 1, 'same')
    case 'toInput':
      return tf.conv2dTranspose(dy!, filter!, [batch, size, size, channels], 1, 'same')
    case 'toFilter':
      // What its gradients call; there is no public function for it.
      return tf.engine().runKernel(
        'Conv2DBackpropFilter',
        { x, dy },
        {
          strides: 1,
          pad: 'same',
          dataFormat: 'NHWC',
          dimRoundingMode: undefined,
          filterShape: [window, window, channels, filters],
        },
      )
    default:
      return pass satisfies never
  }
}
