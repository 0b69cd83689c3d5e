// Traces a JavaScript function into the body of a branch or loop: what it makes is the body, what it uses from outside is captured.
import { GraphError } from '../../errors.ts'
import type { Node, Subgraph, Tensor } from '../../graph/graph.ts'
import { nodesCreated, toposort } from '../../graph/graph.ts'
import { detached } from '../../graph/scope.ts'
import { substitute } from '../../graph/substitute.ts'
import type { TensorType } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { parameter } from '../graph/parameter.ts'

/** A traced function: its results in terms of its parameters and of tensors from outside. */
export interface Trace {
  readonly params: readonly Tensor[]
  readonly results: readonly Tensor[]
  /** Tensors from outside that it uses, each once. */
  readonly captured: readonly Tensor[]
}

/** Traces `build` on parameters of the given types. Everything it makes belongs to the body. */
export function trace(
  types: readonly TensorType[],
  build: (...params: Tensor[]) => readonly TensorLike[],
): Trace {
  const first = nodesCreated()
  const params = types.map(({ dtype, shape }, index) => parameter({ index, dtype, shape }))
  const results = detached(() => build(...params).map((value) => toTensor(value)))
  const inside = (node: Node): boolean => node.id >= first
  const nodes = toposort({ fetches: results.filter((t) => inside(t.node)), targets: [] }, inside)
  const captured = new Set<Tensor>(results.filter((t) => !inside(t.node)))
  for (const node of nodes) {
    node.inputs.forEach((t) => !inside(t.node) && captured.add(t))
    for (const earlier of node.control)
      if (!inside(earlier))
        throw new GraphError(
          'waits for a node outside its branch or loop: let the branch or loop itself wait for it',
          { node },
        )
  }
  return { params, results, captured: [...captured] }
}

/** A trace as a subgraph whose parameters are its own, followed by one for each of `captured`. */
export function close({ params, results }: Trace, captured: readonly Tensor[]): Subgraph {
  const extra = captured.map(({ dtype, shape }, i) => parameter({ index: params.length + i, dtype, shape }))
  const replaced = new Map(captured.map((t, i) => [t, extra[i]!]))
  return { ...substitute({ fetches: results, targets: [] }, replaced), params: [...params, ...extra] }
}

/** Every tensor that some of the traces capture, each once. */
export const capturedBy = (...traces: readonly Trace[]): Tensor[] => [
  ...new Set(traces.flatMap((t) => t.captured)),
]

/** The results of a body on other tensors: its nodes, made again around them. */
export function instantiate(body: Subgraph, args: readonly Tensor[]): readonly Tensor[] {
  return substitute(body, new Map(body.params.map((t, i) => [t, args[i]!]))).fetches
}
