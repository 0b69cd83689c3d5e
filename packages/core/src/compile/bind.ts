// Specialises a graph to one run: feeds take the place of what they feed, names of sizes become numbers.
import type { ShoalError } from '../errors.ts'
import { DTypeError, MissingFeedError, ShapeError } from '../errors.ts'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { withSizes } from '../graph/sizes.ts'
import { substitute } from '../graph/substitute.ts'
import { makeNode } from '../op.ts'
import { placeholder } from '../ops/graph/placeholder.ts'
import type { Binding, ConcreteType } from '../shape.ts'
import { bindShape, formatShape } from '../shape.ts'

/** A graph whose sizes are numbers, and the placeholders that its feeds go to, in the order of the feeds. */
export interface BoundGraph {
  readonly graph: Graph
  readonly feeds: readonly Tensor[]
}

/**
 * Binds a graph to feeds of known types.
 * @throws ShapeError or DTypeError when a feed does not fit, MissingFeedError when a placeholder stays empty.
 */
export function bind(graph: Graph, feeds: ReadonlyMap<Tensor, ConcreteType>): BoundGraph {
  const binding: Binding = new Map()
  const replaced = new Map<Tensor, Tensor>()
  for (const [tensor, type] of feeds) {
    checkFeed(tensor, type, binding)
    const fed = makeNode(placeholder.def, [], { shape: type.shape, dtype: type.dtype }, tensor.name)
    replaced.set(tensor, fed.outputs[0]!)
  }
  return {
    graph: substitute(graph, replaced, (...args) => specialise(binding, ...args)),
    feeds: [...replaced.values()],
  }
}

function checkFeed(tensor: Tensor, type: ConcreteType, binding: Binding): void {
  if (type.dtype !== tensor.dtype)
    throw new DTypeError(`is ${tensor.dtype}, fed with ${type.dtype}: cast the array`, { node: tensor.node })
  try {
    bindShape(tensor.shape, type.shape, binding)
  } catch (error) {
    throw new ShapeError((error as ShoalError).message, { node: tensor.node, cause: error })
  }
}

function specialise(binding: Binding, node: Node, inputs: readonly Tensor[], control: readonly Node[]): Node {
  const { body } = node.op
  if (body.kind === 'runtime' && body.role === 'feed')
    throw new MissingFeedError(
      `was not fed, and the fetches need it: feed ${node.outputs[0]!.dtype}${formatShape(node.outputs[0]!.shape)}`,
      { node },
    )
  const sizeOf = (name: string): number => {
    const size = binding.get(name)
    if (size === undefined)
      throw new ShapeError(`no feed says how large '${name}' is: feed a tensor whose shape names it`, {
        node,
      })
    return size
  }
  return withSizes(node, inputs, control, sizeOf, (...args) => specialise(binding, ...args))
}
