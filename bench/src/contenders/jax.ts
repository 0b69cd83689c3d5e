// jax-js on its WebAssembly backend: every task is one compiled function, as its users would have it.
import type { Contender, Runs } from '../contender.ts'
import { sideOf } from '../contender.ts'
import { channelsApart, channelsFirst, channelsLast, outputsFirst, outputsLast } from '../layout.ts'
import { importPeer, peerVersion } from '../peers.ts'
import type { Host } from '../values.ts'
import { batchOf, operandsOf } from '../values.ts'
import type { ConvTask, ModelName, Task } from '../work.ts'
import { jaxInitial, jaxLogits, jaxParameters, jaxStep } from './jaxModels.ts'
import type { Jax, JaxArray, JaxTree } from './jaxTypes.ts'

/** jax-js. */
export async function jaxJs(): Promise<Contender> {
  const jax = await importPeer<Jax>('@jax-js/jax')
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  return {
    name: 'jax-js',
    version: peerVersion('@jax-js/jax'),
    prepare: async (work) => sideOf(runsOf(jax, work)),
  }
}

const upload = ({ numpy }: Jax, { data, shape }: Host): JaxArray => numpy.array(data, { shape })

function runsOf(jax: Jax, task: Task): Runs {
  switch (task.kind) {
    case 'train':
      return trainingRuns(jax, task.model, task.batch)
    case 'infer': {
      const parameters = uploadAll(jax, jaxParameters(task.model))
      const { x } = batchOf(task.model, task.batch)
      const input = task.model === 'lenet' ? channelsFirst(x) : x
      const predict = jax.jit((p: JaxTree, images: JaxArray) =>
        jax.nn.softmax(jaxLogits(jax, task.model, p, images), -1),
      )
      const run = (): Float32Array => predict(jax.tree.ref(parameters), upload(jax, input)).dataSync()
      return { run, result: async () => run().slice(), close: () => jax.tree.dispose(parameters) }
    }
    case 'adds': {
      const { x } = operandsOf(task)
      const run = (): Float32Array => {
        const first = upload(jax, x!)
        let sum = first.ref
        for (let i = 0; i < task.length; i++) sum = sum.add(first.ref)
        first.dispose()
        return sum.dataSync()
      }
      return { run, result: async () => run().slice() }
    }
    default: {
      const operands = uploadAll(jax, laidOut(task))
      const compute = jax.jit((given: JaxTree) => computed(jax, task, given))
      return {
        run: async () => (await compute(jax.tree.ref(operands)).blockUntilReady()).dispose(),
        result: async () => restored(task, compute(jax.tree.ref(operands)).dataSync().slice()),
        close() {
          jax.tree.dispose(operands)
          compute.dispose()
        },
      }
    }
  }
}

const uploadAll = (jax: Jax, hosts: { readonly [name: string]: Host }): JaxTree =>
  Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, upload(jax, host)]))

function trainingRuns(jax: Jax, model: ModelName, batch: number): Runs {
  const { x, labels } = batchOf(model, batch)
  const images = model === 'lenet' ? channelsFirst(x) : x
  const step = jax.jit(jaxStep(jax, model))
  let state = jaxInitial(jax, model)
  let steps = 0
  const run = (): number => {
    steps++
    const shares = [1 - 0.9 ** steps, 1 - 0.999 ** steps].map((share) =>
      jax.numpy.array(Float32Array.of(share), { shape: [] }),
    )
    const classes = jax.numpy.array(labels.data, { shape: labels.shape, dtype: jax.numpy.int32 })
    const [loss, next] = step(state, upload(jax, images), classes, shares)
    state = next
    const [value] = loss.dataSync()
    return value!
  }
  return {
    run,
    result: async () => Float32Array.of(run(), run(), run()),
    close() {
      jax.tree.dispose(state)
      step.dispose()
    },
  }
}

type Computed = Exclude<Task, { kind: 'train' | 'infer' | 'adds' }>

/** Operands in the order that jax-js wants them. */
function laidOut(task: Computed): { readonly [name: string]: Host } {
  const hosts = operandsOf(task)
  if (task.kind !== 'conv' && task.kind !== 'depthwise') return hosts
  return Object.fromEntries(
    Object.entries(hosts).map(([name, host]) => {
      const order = name !== 'filter' ? channelsFirst : task.kind === 'conv' ? outputsFirst : channelsApart
      return [name, order(host)]
    }),
  )
}

/** An answer in the order of Shoal. */
function restored(task: Computed, data: Float32Array): Float32Array {
  if (task.kind === 'depthwise') {
    const { batch, size, channels } = task
    return channelsLast({ shape: [batch, channels, size, size], data }).data
  }
  if (task.kind !== 'conv') return data
  const { batch, size, channels, window, filters, pass } = task
  if (pass === 'toFilter') return outputsLast({ shape: [filters, channels, window, window], data }).data
  return channelsLast({ shape: [batch, pass === 'forward' ? filters : channels, size, size], data }).data
}

function computed({ numpy: np, nn, ...jax }: Jax, task: Computed, operands: JaxTree): JaxArray {
  const get = (name: string): JaxArray => operands[name]!
  switch (task.kind) {
    case 'matmul':
      return np.matmul(
        task.transposeA ? np.matrixTranspose(get('a')) : get('a'),
        task.transposeB ? np.matrixTranspose(get('b')) : get('b'),
      )
    case 'multiplyAdd':
      return get('a').mul(get('b')).add(get('c'))
    case 'gatedSum':
      return np
        .tanh(get('a').mul(get('b')).add(get('c')))
        .mul(nn.sigmoid(get('d')))
        .sum()
    case 'softmax':
      return nn.softmax(get('x'), -1)
    case 'layerNorm':
      return nn.standardize(get('x'), -1, { epsilon: 1e-5 }).mul(get('scale')).add(get('offset'))
    case 'sum':
      return get('x').sum(task.axis)
    case 'conv':
      return convolution({ numpy: np, nn, ...jax }, task, operands)
    case 'depthwise':
      return jax.lax.convGeneralDilated(get('x'), get('filter'), [1, 1], 'SAME', {
        featureGroupCount: task.channels,
      })
    default:
      return task satisfies never
  }
}

/** Gradients come from differentiating; what only the forward pass needs is removed by the compiler. */
function convolution(jax: Jax, task: ConvTask, { x, filter, dy }: JaxTree): JaxArray {
  const { pass, batch, size, channels, window, filters } = task
  const forward = (images: JaxArray, weights: JaxArray): JaxArray =>
    jax.lax.convGeneralDilated(images, weights, [1, 1], 'SAME')
  switch (pass) {
    case 'forward':
      return forward(x!, filter!)
    case 'toInput': {
      const weighted = (images: JaxArray, weights: JaxArray, by: JaxArray): JaxArray =>
        forward(images, weights).mul(by).sum()
      return jax.grad(weighted)(jax.numpy.zeros([batch, channels, size, size]), filter!, dy!)
    }
    case 'toFilter': {
      const weighted = (weights: JaxArray, images: JaxArray, by: JaxArray): JaxArray =>
        forward(images, weights).mul(by).sum()
      return jax.grad(weighted)(jax.numpy.zeros([filters, channels, window, window]), x!, dy!)
    }
    default:
      return pass satisfies never
  }
}
