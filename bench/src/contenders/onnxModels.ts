// Every task as an ONNX model, written with the published protobuf schema; operands are inputs, parameters of models are initializers.
import { channelsApart, channelsFirst, channelsLast, lenetChannelsFirst, outputsFirst } from '../layout.ts'
import type { Host } from '../values.ts'
import { batchOf, operandsOf, parametersOf } from '../values.ts'
import type { ModelName, Task } from '../work.ts'
import { dtypeOf } from '../work.ts'

/** A model with what it is fed. */
export interface OnnxModel {
  readonly bytes: Uint8Array
  readonly feeds: { readonly [name: string]: Host }
  /** Puts the answer, with its shape, in the order of Shoal. */
  restore(answer: Host): Host
}

/** The schema, as the package onnx-proto brings it. */
export interface OnnxProto {
  readonly onnx: { readonly ModelProto: { encode(model: object): { finish(): Uint8Array } } }
}

const float = 1
const int64 = 7
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 }

/** Collects nodes and initializers; `op` answers the name of the node's output. */
class GraphWriter {
  readonly #proto: OnnxProto
  readonly #nodes: object[] = []
  readonly #initializers: object[] = []

  constructor(proto: OnnxProto) {
    this.#proto = proto
  }

  op(
    opType: string,
    inputs: readonly string[],
    attributes: { readonly [name: string]: unknown } = {},
  ): string {
    const name = `${opType}_${this.#nodes.length}`
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value))
    this.#nodes.push({ opType, name, input: inputs, output: [name], attribute })
    return name
  }

  constant(name: string, { data, shape }: Host): string {
    this.#initializers.push({ name, dims: shape, dataType: float, rawData: new Uint8Array(data.buffer) })
    return name
  }

  integers(name: string, values: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    this.#initializers.push({ name, dims: [values.length], dataType: int64, rawData })
    return name
  }

  finish(inputs: { readonly [name: string]: Host }, output: string): Uint8Array {
    const tensor = (name: string, shape?: readonly number[]): object => ({
      name,
      type: {
        tensorType: {
          elemType: float,
          ...(shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } }),
        },
      },
    })
    return this.#proto.onnx.ModelProto.encode({
      irVersion: 8,
      opsetImport: [{ domain: '', version: 17 }],
      graph: {
        name: 'bench',
        node: this.#nodes,
        initializer: this.#initializers,
        input: Object.entries(inputs).map(([name, { shape }]) => tensor(name, shape)),
        output: [tensor(output)],
      },
    }).finish()
  }
}

function attributeOf(name: string, value: unknown): object {
  if (typeof value === 'string')
    return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) }
  if (Array.isArray(value)) return { name, type: attributeTypes.ints, ints: value as number[] }
  return Number.isInteger(value)
    ? { name, type: attributeTypes.int, i: value }
    : { name, type: attributeTypes.float, f: value }
}

/** The model of a task; undefined where ONNX has no operator for it, and for float16. */
export function onnxModel(task: Task, proto: OnnxProto): OnnxModel | undefined {
  if (dtypeOf(task) !== 'float32') return undefined
  const graph = new GraphWriter(proto)
  const finish = (
    feeds: OnnxModel['feeds'],
    output: string,
    restore: OnnxModel['restore'] = (answer) => answer,
  ): OnnxModel => ({ bytes: graph.finish(feeds, output), feeds, restore })
  const operands = operandsOf(task)
  switch (task.kind) {
    case 'matmul': {
      const output =
        task.transposeA || task.transposeB
          ? graph.op('Gemm', ['a', 'b'], { transA: Number(task.transposeA), transB: Number(task.transposeB) })
          : graph.op('MatMul', ['a', 'b'])
      return finish(operands, output)
    }
    case 'multiplyAdd':
      return finish(operands, graph.op('Add', [graph.op('Mul', ['a', 'b']), 'c']))
    case 'gatedSum': {
      const inner = graph.op('Tanh', [graph.op('Add', [graph.op('Mul', ['a', 'b']), 'c'])])
      const product = graph.op('Mul', [inner, graph.op('Sigmoid', ['d'])])
      return finish(operands, graph.op('ReduceSum', [product], { keepdims: 0 }))
    }
    case 'softmax':
      return finish(operands, graph.op('Softmax', ['x'], { axis: -1 }))
    case 'layerNorm':
      return finish(
        operands,
        graph.op('LayerNormalization', ['x', 'scale', 'offset'], { axis: -1, epsilon: 1e-5 }),
      )
    case 'sum':
      return finish(
        operands,
        graph.op('ReduceSum', ['x', graph.integers('axes', [task.axis])], { keepdims: 0 }),
      )
    case 'conv': {
      if (task.pass === 'toFilter') return undefined
      const pads = new Array<number>(4).fill((task.window - 1) / 2)
      const [images, op] = task.pass === 'forward' ? ['x', 'Conv'] : ['dy', 'ConvTranspose']
      const feeds = {
        [images!]: channelsFirst(operands[images!]!),
        // [out, in, …] both ways: of a transposed convolution these are its inputs and outputs.
        filter: outputsFirst(operands['filter']!),
      }
      return finish(feeds, graph.op(op!, [images!, 'filter'], { pads }), channelsLast)
    }
    case 'depthwise': {
      const pads = new Array<number>(4).fill((task.window - 1) / 2)
      const feeds = { x: channelsFirst(operands['x']!), filter: channelsApart(operands['filter']!) }
      return finish(feeds, graph.op('Conv', ['x', 'filter'], { pads, group: task.channels }), channelsLast)
    }
    case 'infer': {
      const { x } = batchOf(task.model, task.batch)
      const feeds = { x: task.model === 'lenet' ? channelsFirst(x) : x }
      const logits = logitsOf(graph, task.model)
      return logits === undefined ? undefined : finish(feeds, graph.op('Softmax', [logits], { axis: -1 }))
    }
    case 'adds': {
      let sum = 'x'
      for (let i = 0; i < task.length; i++) sum = graph.op('Add', [sum, 'x'])
      return finish(operands, sum)
    }
    case 'train':
      return undefined
    default:
      return task satisfies never
  }
}

function logitsOf(graph: GraphWriter, model: ModelName): string | undefined {
  const hosts = parametersOf(model)
  const declare = (parameters: { readonly [name: string]: Host }): void =>
    Object.entries(parameters).forEach(([name, host]) => graph.constant(name, host))
  const dense = (x: string, w: string, b: string): string => graph.op('Gemm', [x, w, b])
  const relu = (x: string): string => graph.op('Relu', [x])
  switch (model) {
    case 'mlp':
      declare(hosts)
      return dense(relu(dense(relu(dense('x', 'w1', 'b1')), 'w2', 'b2')), 'w3', 'b3')
    case 'lenet': {
      declare(lenetChannelsFirst(hosts))
      const maps = (x: string, f: string, c: string): string =>
        graph.op('MaxPool', [relu(graph.op('Conv', [x, f, c], { pads: [2, 2, 2, 2] }))], {
          kernel_shape: [2, 2],
          strides: [2, 2],
        })
      const features = graph.op('Flatten', [maps(maps('x', 'f1', 'c1'), 'f2', 'c2')])
      return dense(relu(dense(features, 'w1', 'b1')), 'w2', 'b2')
    }
    case 'logistic':
      declare(hosts)
      return dense('x', 'w', 'b')
    case 'lstm':
      return undefined
    default:
      return model satisfies never
  }
}
