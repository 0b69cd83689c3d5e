// The numbers that works begin with: the same for every contender, from a seeded generator.
import type { ModelName, Task } from './work.ts'

/** An array on the host, in row-major order. */
export interface Host<Data extends Float32Array | Int32Array = Float32Array> {
  readonly shape: readonly number[]
  readonly data: Data
}

/** Uniform in [-scale, scale); mulberry32 by Tommy Ettinger. */
function uniform(seed: number, shape: readonly number[], scale = 1): Host {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const length = shape.reduce((product, size) => product * size, 1)
  const data = new Float32Array(length)
  for (let i = 0; i < length; i++) data[i] = scale * (2 * next() - 1)
  return { shape, data }
}

const zeros = (length: number): Host => ({ shape: [length], data: new Float32Array(length) })

/** The operands of a task by name; a model's are in `parametersOf` and `batchOf`. */
export function operandsOf(task: Task): { readonly [name: string]: Host } {
  switch (task.kind) {
    case 'matmul': {
      const shape = [task.n, task.n]
      return { a: uniform(1, shape), b: uniform(2, shape) }
    }
    case 'multiplyAdd':
    case 'gatedSum': {
      const [a, b, c, d] = [1, 2, 3, 4].map((seed) => uniform(seed, [task.length], 2))
      return { a: a!, b: b!, c: c!, ...(task.kind === 'gatedSum' && { d: d! }) }
    }
    case 'softmax':
    case 'sum':
      return { x: uniform(1, [task.rows, task.columns], 4) }
    case 'layerNorm':
      return {
        x: uniform(1, [task.rows, task.columns], 4),
        scale: uniform(2, [task.columns]),
        offset: uniform(3, [task.columns]),
      }
    case 'conv': {
      const { batch, size, channels, window, filters } = task
      const x = uniform(1, [batch, size, size, channels])
      const filter = uniform(2, [window, window, channels, filters], (window ** 2 * channels) ** -0.5)
      const dy = uniform(3, [batch, size, size, filters])
      return { forward: { x, filter }, toInput: { filter, dy }, toFilter: { x, dy } }[task.pass]
    }
    case 'depthwise': {
      const { batch, size, channels, window } = task
      return {
        x: uniform(1, [batch, size, size, channels]),
        filter: uniform(2, [window, window, channels, 1]),
      }
    }
    case 'adds':
      return { x: { shape: [], data: Float32Array.of(1) } }
    case 'train':
    case 'infer':
      return {}
    default:
      return task satisfies never
  }
}

/** A weight in the range of He et al., 2015: uniform with variance 2 / inputs. */
const weight = (seed: number, shape: readonly number[]): Host =>
  uniform(seed, shape, Math.sqrt(6 / shape.slice(0, -1).reduce((product, size) => product * size, 1)))

/** Parameters by name: matrices [inputs, outputs], filters [height, width, in, out], LSTM gates in the order input, forget, candidate, output. */
export function parametersOf(model: ModelName): { readonly [name: string]: Host } {
  switch (model) {
    case 'mlp':
      return {
        w1: weight(11, [784, 512]),
        b1: zeros(512),
        w2: weight(12, [512, 256]),
        b2: zeros(256),
        w3: weight(13, [256, 10]),
        b3: zeros(10),
      }
    case 'lenet':
      return {
        f1: weight(11, [5, 5, 1, 32]),
        c1: zeros(32),
        f2: weight(12, [5, 5, 32, 64]),
        c2: zeros(64),
        w1: weight(13, [3136, 256]),
        b1: zeros(256),
        w2: weight(14, [256, 10]),
        b2: zeros(10),
      }
    case 'lstm':
      return {
        wx: uniform(11, [28, 512], 128 ** -0.5),
        wh: uniform(12, [128, 512], 128 ** -0.5),
        b: zeros(512),
        w: weight(13, [128, 10]),
        bo: zeros(10),
      }
    case 'logistic':
      return { w: uniform(11, [784, 10], 0.05), b: zeros(10) }
    default:
      return model satisfies never
  }
}

/** One example of a model, in row-major order. */
export const exampleOf = (model: ModelName): readonly number[] =>
  ({ mlp: [784], lenet: [28, 28, 1], lstm: [28, 28], logistic: [784] })[model]

/** Examples in [0, 1) and their labels. */
export function batchOf(
  model: ModelName,
  batch: number,
): { readonly x: Host; readonly labels: Host<Int32Array> } {
  const { shape, data } = uniform(5, [batch, ...exampleOf(model)])
  return {
    x: { shape, data: data.map(Math.abs) },
    labels: { shape: [batch], data: Int32Array.from({ length: batch }, (_, i) => (i * 7) % 10) },
  }
}

/** How each model is trained. */
export const training = {
  mlp: { optimizer: 'adam', rate: 1e-3 },
  lenet: { optimizer: 'momentum', rate: 0.01 },
  lstm: { optimizer: 'adam', rate: 1e-3 },
  logistic: { optimizer: 'descent', rate: 0.1 },
} as const satisfies { readonly [model in ModelName]: object }

/** The weights of an LSTM with the gates, which stand side by side in the last axis in the order input, forget, candidate, output, in another order. */
export function lstmGates({ shape, data }: Host, order: string): Host {
  const units = shape.at(-1)! / 4
  const moved = new Float32Array(data.length)
  for (let from = 0; from < data.length; from += units) {
    const row = Math.floor(from / (4 * units))
    const gate = order.indexOf('ifgo'[(from / units) % 4]!)
    moved.set(data.subarray(from, from + units), (4 * row + gate) * units)
  }
  return { shape, data: moved }
}
