// The layers of a model that int8 arithmetic can compute: matrix products and convolutions whose weights are fixed, with the bias behind them.
import type { Graph, Node, Tensor } from '@shoal/core'
import { add, conv, floats, isConcrete, matmul, sizeOf, toposort } from '@shoal/core'
import { isFixed } from './fixed.ts'

/** A layer to be quantised. */
export interface Layer {
  /** The product or convolution. */
  readonly node: Node
  readonly kind: 'matmul' | 'conv'
  readonly weights: Tensor
  /** Do the output channels come first in the weights, as in a transposed matrix, or last? */
  readonly outputFirst: boolean
  /** Output channels. */
  readonly outputs: number
  /** A vector for the output channels that is added to the product and nothing else reads the product. */
  readonly bias: Tensor | undefined
  /** What the layer computes: the sum with the bias, or the product. */
  readonly result: Node
}

/** The layers of a graph, in order; those of bodies of branches and loops are left alone. */
export function layersOf(graph: Graph): Layer[] {
  const known = new Map<Node, boolean>()
  const fixed = (t: Tensor) => isConcrete(t.shape) && isFixed(t, known)
  const nodes = toposort(graph)
  const readings = nodes.flatMap((reader) => reader.inputs.map(({ node }) => ({ node, reader })))
  const readers = Map.groupBy(readings, ({ node }) => node)
  const fetched = new Set(graph.fetches.map((t) => t.node))

  const biased = (node: Node, outputs: number): Pick<Layer, 'bias' | 'result'> => {
    const [{ reader } = {}, ...others] = readers.get(node) ?? []
    const product = node.outputs[0]!
    const bias = reader?.op === add.def ? reader.inputs.find((t) => t !== product) : undefined
    const only = reader && others.length === 0 && !fetched.has(node)
    // A bias of more axes would give the sum more than the product has.
    return only && bias && bias.rank <= product.rank && fixed(bias) && isVector(bias, outputs)
      ? { bias, result: reader }
      : { bias: undefined, result: node }
  }
  return nodes.flatMap((node): Layer[] => {
    const [x, weights] = node.inputs
    if (!x || !weights || fixed(x) || !fixed(weights) || !floats.includes(weights.dtype)) return []
    const sizes = weights.shape as readonly number[]
    if (sizeOf(sizes) === 0) return []
    if (node.op === conv.def) {
      const outputs = sizes.at(-1)!
      return [{ node, kind: 'conv', weights, outputFirst: false, outputs, ...biased(node, outputs) }]
    }
    if (node.op !== matmul.def || sizes.length !== 2 || node.attrs['transposeA'] === true) return []
    const outputFirst = node.attrs['transposeB'] === true
    const outputs = sizes[outputFirst ? 0 : 1]!
    return [{ node, kind: 'matmul', weights, outputFirst, outputs, ...biased(node, outputs) }]
  })
}

/** Is it one number for each of `size` channels, the last axis of what it is added to? */
const isVector = ({ shape }: Tensor, size: number): boolean =>
  shape.at(-1) === size && shape.slice(0, -1).every((d) => d === 1)
