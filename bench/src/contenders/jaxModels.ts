// The models as a user of jax-js writes them: one compiled function makes a whole training step.
import { lenetChannelsFirst } from '../layout.ts'
import type { Host } from '../values.ts'
import { parametersOf, training } from '../values.ts'
import type { ModelName } from '../work.ts'
import type { Jax, JaxArray, JaxTree } from './jaxTypes.ts'

/** The host arrays that a model begins with, images with the channels first. */
export const jaxParameters = (model: ModelName): { readonly [name: string]: Host } =>
  model === 'lenet' ? lenetChannelsFirst(parametersOf(model)) : parametersOf(model)

/** The logits of a model; takes over its arguments, as every function there does. */
export function jaxLogits({ numpy: np, nn, lax }: Jax, model: ModelName, p: JaxTree, x: JaxArray): JaxArray {
  const dense = (h: JaxArray, w: JaxArray, b: JaxArray): JaxArray => np.matmul(h, w).add(b)
  switch (model) {
    case 'mlp': {
      const h = nn.relu(dense(x, p['w1']!, p['b1']!))
      return dense(nn.relu(dense(h, p['w2']!, p['b2']!)), p['w3']!, p['b3']!)
    }
    case 'lenet': {
      const maps = (h: JaxArray, f: JaxArray, c: JaxArray): JaxArray => {
        const convolved = lax.convGeneralDilated(h, f, [1, 1], 'SAME')
        return lax.reduceWindow(
          nn.relu(convolved.add(c.reshape([1, -1, 1, 1]))),
          (v) => v.max(),
          [2, 2],
          [2, 2],
        )
      }
      const features = maps(maps(x, p['f1']!, p['c1']!), p['f2']!, p['c2']!).reshape([-1, 3136])
      return dense(nn.relu(dense(features, p['w1']!, p['b1']!)), p['w2']!, p['b2']!)
    }
    case 'lstm': {
      const batch = x.shape[0]!
      const steps = x.shape[1]!
      let [h, c] = [np.zeros([batch, 128]), np.zeros([batch, 128])]
      for (const step of np.split(x, steps, 1)) {
        const input = np.matmul(step.reshape([batch, -1]), p['wx']!.ref)
        const [i, f, g, o] = np.split(input.add(np.matmul(h, p['wh']!.ref)).add(p['b']!.ref), 4, 1)
        c = nn
          .sigmoid(f!)
          .mul(c)
          .add(nn.sigmoid(i!).mul(np.tanh(g!)))
        h = nn.sigmoid(o!).mul(np.tanh(c.ref))
      }
      c.dispose()
      for (const name of ['wx', 'wh', 'b']) p[name]!.dispose()
      return dense(h, p['w']!, p['bo']!)
    }
    case 'logistic':
      return dense(x, p['w']!, p['b']!)
    default:
      return model satisfies never
  }
}

/** What an optimizer remembers of one parameter. */
type Slots = readonly JaxArray[]
/** Parameters and what the optimizer remembers of them. */
export interface JaxState {
  readonly parameters: JaxTree
  readonly slots: { readonly [name: string]: Slots }
}

/** The state before the first step. */
export function jaxInitial({ numpy: np }: Jax, model: ModelName): JaxState {
  const hosts = jaxParameters(model)
  const kept = { adam: 2, momentum: 1, descent: 0 }[training[model].optimizer]
  const each = <T>(make: (host: Host) => T): { [name: string]: T } =>
    Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, make(host)]))
  return {
    parameters: each(({ data, shape }) => np.array(data, { shape })),
    slots: each(({ shape }) => Array.from({ length: kept }, () => np.zeros(shape))),
  }
}

/** A whole training step: state, images, labels, and the shares by which Adam corrects its averages → loss and next state. */
export function jaxStep(
  jax: Jax,
  model: ModelName,
): (state: JaxState, x: JaxArray, labels: JaxArray, shares: JaxArray[]) => [JaxArray, JaxState] {
  const loss = (parameters: JaxTree, x: JaxArray, labels: JaxArray): JaxArray => {
    const scores = jax.nn.logSoftmax(jaxLogits(jax, model, parameters, x), -1)
    return scores.mul(jax.nn.oneHot(labels, 10)).sum(-1).mean().neg()
  }
  const withGradient = jax.valueAndGrad(loss)
  return ({ parameters, slots }, x, labels, shares) => {
    const [value, gradients] = withGradient(jax.tree.ref(parameters), x, labels)
    const next = Object.keys(parameters).map(
      (name) =>
        [name, updated(jax, model, parameters[name]!, gradients[name]!, slots[name]!, shares)] as const,
    )
    shares.forEach((share) => share.dispose())
    return [
      value,
      {
        parameters: Object.fromEntries(next.map(([name, { value: parameter }]) => [name, parameter])),
        slots: Object.fromEntries(next.map(([name, { slots: kept }]) => [name, kept])),
      },
    ]
  }
}

function updated(
  { numpy: np }: Jax,
  model: ModelName,
  value: JaxArray,
  gradient: JaxArray,
  slots: Slots,
  [share1, share2]: readonly JaxArray[],
): { readonly value: JaxArray; readonly slots: Slots } {
  const { optimizer, rate } = training[model]
  switch (optimizer) {
    case 'adam': {
      const means = slots[0]!.mul(0.9).add(gradient.ref.mul(0.1))
      const squares = slots[1]!.mul(0.999).add(np.square(gradient).mul(1 - 0.999))
      const size = np.sqrt(squares.ref.div(share2!.ref)).add(1e-8)
      return { value: value.sub(means.ref.div(share1!.ref).div(size).mul(rate)), slots: [means, squares] }
    }
    case 'momentum': {
      const velocity = slots[0]!.mul(0.9).add(gradient)
      return { value: value.sub(velocity.ref.mul(rate)), slots: [velocity] }
    }
    case 'descent':
      return { value: value.sub(gradient.mul(rate)), slots: [] }
    default:
      return optimizer satisfies never
  }
}
