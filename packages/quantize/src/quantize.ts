// Post-training quantisation: sees what values flow through a trained model, and rebuilds it on int8 products.
import type { Feeds, Graph, Model, NDArray, Node, Rewritten, Session, Tensor } from '@shoal/core'
import {
  cast,
  constant,
  dequantizeLinear,
  quantizedConv,
  quantizedMatmul,
  quantizeLinear,
  rewrite,
  rewriteModel,
  ValueError,
} from '@shoal/core'
import { type Layer, layersOf } from './layers.ts'
import { type RangeOptions, rangesOf, type Steps, stepsFor } from './ranges.ts'
import { type QuantizedWeights, quantizeWeights } from './weights.ts'

/** How a model is quantised. */
export interface QuantizeOptions extends RangeOptions {
  /** Holds the model's variables, and runs it on the batches. */
  readonly session: Session
  /** Some batches like those that the model will see, as feeds; a few hundred examples do. */
  readonly calibration: Iterable<Feeds> | AsyncIterable<Feeds>
  /** Which products and convolutions to quantise; default all whose weights are fixed. The node is that of the product. */
  readonly layers?: (node: Node) => boolean
}

/**
 * The model with its matrix products and convolutions in int8: weights quantised for each output channel, activations for each tensor by
 * the range that calibration saw. It takes the same feeds. Weights and biases are constants of it, as they are now in the session; what else
 * it reads of variables it still reads. Weights take a quarter of the memory.
 *
 * Products are exact and the rest is float32 arithmetic without sums: with equal feeds the layers give the same bits on every device.
 * @throws ValueError when nothing in the model can be quantised, without batches, for values and weights that are no finite numbers
 */
export function quantize<const M extends Model>(model: M, options: QuantizeOptions): Promise<Rewritten<M>> {
  return rewriteModel(model, (graph) => quantizeGraph(graph, options))
}

async function quantizeGraph(graph: Graph, options: QuantizeOptions): Promise<Graph> {
  const { session, calibration, layers: wanted = () => true } = options
  const layers = layersOf(graph).filter(({ node }) => wanted(node))
  if (layers.length === 0)
    throw new ValueError('quantize found no matrix product or convolution with fixed weights in this model')
  const inputs = [...new Set(layers.map(({ node }) => node.inputs[0]!))]
  const ranges = await rangesOf(inputs, session, calibration, options)
  const steps = new Map(inputs.map((x, i) => [x, stepsFor(ranges[i]!)]))
  const values: readonly (readonly NDArray[])[] = await session.run(
    layers.map(({ weights, bias }) => (bias ? [weights, bias] : [weights])),
  )
  const planned = new Map(
    layers.map((layer, i) => {
      const [weights, bias] = values[i]!
      const own = steps.get(layer.node.inputs[0]!)!
      if (!values[i]!.every((value) => value.numbers().every(Number.isFinite)))
        throw new ValueError(`weights or bias of ${layer.node.name} hold values that are no finite numbers`)
      return [layer.result, { layer, steps: own, ...quantizeWeights(weights!, layer.outputFirst, bias, own) }]
    }),
  )
  return rebuild(graph, planned)
}

interface PlannedLayer extends QuantizedWeights {
  readonly layer: Layer
  readonly steps: Steps
}

/** The graph with the planned layers, by the nodes of their results, in int8. */
function rebuild(graph: Graph, planned: ReadonlyMap<Node, PlannedLayer>): Graph {
  return rewrite(graph, (node, original) => {
    const plan = planned.get(original)
    if (!plan) return undefined
    const { layer } = plan
    // The product may have been rebuilt on quantised layers before it; with a bias it is the input of the sum.
    const product =
      original === layer.node ? node : node.inputs[original.inputs.indexOf(layer.node.outputs[0]!)]!.node
    return [quantizedLayer(product.inputs[0]!, plan)]
  })
}

function quantizedLayer(x: Tensor, { layer, steps, weights, offset, scale }: PlannedLayer): Tensor {
  const { name, attrs } = layer.node
  const activations = quantizeLinear(x, { ...steps, name: `${name}/activations` })
  const stored = constant(weights, undefined, { name: `${name}/weights` })
  const sums =
    layer.kind === 'conv'
      ? quantizedConv(activations, stored, { ...attrs, zeroPoint: steps.zeroPoint, name: `${name}/int8` })
      : quantizedMatmul(activations, stored, { name: `${name}/int8` })
  const result = dequantizeLinear(sums, offset, scale, { name })
  return x.dtype === 'float32' ? result : cast(result, { to: x.dtype })
}
