// The models as a user of TensorFlow.js writes them, over variables that begin with the given parameters.
import { lstmGates, parametersOf, training } from '../values.ts'
import type { Host } from '../values.ts'
import type { ModelName } from '../work.ts'
import type { Tensor, Tf, TfOptimizer, TfVariable } from './tfjsTypes.ts'

/** A model in TensorFlow.js. */
export interface TfModel {
  logits(x: Tensor): Tensor
  readonly variables: readonly TfVariable[]
}

type P = { readonly [name: string]: TfVariable }

/** A model with variables of its own. */
export function tfModel(tf: Tf, model: ModelName): TfModel {
  const parameters = Object.fromEntries(
    Object.entries(hostsOf(model)).map(([name, { data, shape }]) => [
      name,
      tf.variable(tf.tensor(data, shape)),
    ]),
  )
  return { logits: (x) => forward(tf, model, parameters, x), variables: Object.values(parameters) }
}

/** `basicLSTMCell` has one kernel for input and state, and its gates in another order. */
function hostsOf(model: ModelName): { readonly [name: string]: Host } {
  const hosts = parametersOf(model)
  if (model !== 'lstm') return hosts
  const { wx, wh, b, ...rest } = hosts
  const [input, state] = [lstmGates(wx!, 'igfo'), lstmGates(wh!, 'igfo')]
  const data = new Float32Array(input.data.length + state.data.length)
  data.set(input.data)
  data.set(state.data, input.data.length)
  return { kernel: { shape: [28 + 128, 512], data }, b: lstmGates(b!, 'igfo'), ...rest }
}

function forward(tf: Tf, model: ModelName, p: P, x: Tensor): Tensor {
  const dense = (h: Tensor, w: TfVariable, b: TfVariable): Tensor => tf.add(tf.matMul(h, w), b)
  switch (model) {
    case 'mlp': {
      const h = tf.relu(dense(x, p['w1']!, p['b1']!))
      return dense(tf.relu(dense(h, p['w2']!, p['b2']!)), p['w3']!, p['b3']!)
    }
    case 'lenet': {
      const maps = (h: Tensor, f: TfVariable, c: TfVariable): Tensor =>
        tf.maxPool(tf.relu(tf.add(tf.conv2d(h, f, 1, 'same'), c)), 2, 2, 'valid')
      const features = tf.reshape(maps(maps(x, p['f1']!, p['c1']!), p['f2']!, p['c2']!), [-1, 3136])
      return dense(tf.relu(dense(features, p['w1']!, p['b1']!)), p['w2']!, p['b2']!)
    }
    case 'lstm': {
      const batch = x.shape[0]!
      const forgetBias = tf.scalar(0)
      let [c, h] = [tf.zeros([batch, 128]), tf.zeros([batch, 128])]
      for (const step of tf.unstack(x, 1))
        [c, h] = tf.basicLSTMCell(forgetBias, p['kernel']!, p['b']!, step, c, h)
      return dense(h, p['w']!, p['bo']!)
    }
    case 'logistic':
      return dense(x, p['w']!, p['b']!)
    default:
      return model satisfies never
  }
}

/** The optimizer that a model is trained with. */
export function tfOptimizer(tf: Tf, model: ModelName): TfOptimizer {
  const { optimizer, rate } = training[model]
  switch (optimizer) {
    case 'adam':
      return tf.train.adam(rate, 0.9, 0.999, 1e-8)
    case 'momentum':
      return tf.train.momentum(rate, 0.9)
    case 'descent':
      return tf.train.sgd(rate)
    default:
      return optimizer satisfies never
  }
}
