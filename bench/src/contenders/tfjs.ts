// TensorFlow.js, on its cpu or wasm backend: ops that run at once, memory given back by `tidy`, training by its own optimizers.
import type { Contender, Runs } from '../contender.ts'
import { sideOf } from '../contender.ts'
import { peerVersion, requirePeer } from '../peers.ts'
import type { Host } from '../values.ts'
import { batchOf, operandsOf } from '../values.ts'
import type { ConvTask, Task } from '../work.ts'
import { tfModel, tfOptimizer } from './tfjsModels.ts'
import type { Tensor, Tf } from './tfjsTypes.ts'

/** TensorFlow.js. */
export function tfjs(backend: 'cpu' | 'wasm'): Contender {
  const tf = requirePeer<Tf>('@tensorflow/tfjs')
  if (backend === 'wasm')
    requirePeer<{ setThreadsCount(count: number): void }>('@tensorflow/tfjs-backend-wasm').setThreadsCount(1)
  // The library computes on one backend at a time: it is chosen before all that is asked of either.
  const onBackend = async <T>(work: () => T): Promise<Awaited<T>> => {
    await tf.setBackend(backend)
    await tf.ready()
    // Its WebAssembly leaves a Worker among the globals, from which other libraries conclude that they are in a browser.
    Reflect.deleteProperty(globalThis, 'Worker')
    return await work()
  }
  return {
    name: `tfjs-${backend}`,
    version: peerVersion(`@tensorflow/tfjs-backend-${backend}`),
    prepare: (work) =>
      onBackend(() => {
        try {
          const side = sideOf(runsOf(tf, work))
          return {
            sample: (repeats: number) => onBackend(() => side.sample(repeats)),
            result: () => onBackend(() => side.result()),
            close: () => onBackend(() => side.close()),
          }
        } catch (error) {
          if (/not registered/.test(String(error))) return undefined
          throw error
        }
      }),
  }
}

const upload = (tf: Tf, { data, shape }: Host): Tensor => tf.tensor(data, shape)

function runsOf(tf: Tf, task: Task): Runs {
  switch (task.kind) {
    case 'train': {
      const model = tfModel(tf, task.model)
      const optimizer = tfOptimizer(tf, task.model)
      const { x, labels } = batchOf(task.model, task.batch)
      const step = (): number => {
        const loss = tf.tidy(() => {
          const images = upload(tf, x)
          const classes = tf.oneHot(tf.tensor(labels.data, labels.shape, 'int32'), 10)
          return optimizer.minimize(
            () => tf.losses.softmaxCrossEntropy(classes, model.logits(images)),
            true,
            model.variables,
          )
        })
        const [value] = loss.dataSync()
        loss.dispose()
        return value!
      }
      const losses = Float32Array.of(step(), step(), step())
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
      return reading(tf, () => tf.softmax(model.logits(upload(tf, x))), model.variables)
    }
    case 'adds': {
      const { x } = operandsOf(task)
      const chain = (): Tensor => {
        const first = upload(tf, x!)
        let sum = first
        for (let i = 0; i < task.length; i++) sum = tf.add(sum, first)
        return sum
      }
      return reading(tf, chain, [])
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
        async result() {
          const answer = compute()
          const data = answer.dataSync().slice()
          answer.dispose()
          return data
        },
        close: () => Object.values(operands).forEach((tensor) => tensor.dispose()),
      }
    }
  }
}

/** Runs whose answer is read in each of them. */
function reading(tf: Tf, compute: () => Tensor, kept: readonly Tensor[]): Runs {
  const read = (): Float32Array => {
    const answer = tf.tidy(compute)
    const data = answer.dataSync()
    answer.dispose()
    return data
  }
  return {
    run: read,
    result: async () => read().slice(),
    close: () => kept.forEach((tensor) => tensor.dispose()),
  }
}

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
