// Traces a JavaScript function into the body of a branch or loop: what it makes is the body, what it uses from outside is captured.
import { GraphError } from '../../errors.ts'
import type { Node, Subgraph, Tensor } from '../../graph/graph.ts'
import { nodesCreated, toposort } from '../../graph/graph.ts'
import { effectsOf } from '../../graph/effects.ts'
import { detached, surroundings, wantedDevice } from '../../graph/scope.ts'
import { substitute } from '../../graph/substitute.ts'
import type { AnyResource } from '../../resource.ts'
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
  /** What it made, in order. */
  readonly nodes: readonly Node[]
}

/** Parameters for values of these types, the first of them number `from`. They wait for nothing, wherever their body is made. */
const parameters = (types: readonly TensorType[], from = 0): Tensor[] =>
  detached(() => types.map(({ dtype, shape }, i) => parameter({ index: from + i, dtype, shape })))

/** Traces `build` on parameters of the given types. Everything it makes belongs to the body. */
export function trace(
  types: readonly TensorType[],
  build: (...params: Tensor[]) => readonly TensorLike[],
): Trace {
  const first = nodesCreated()
  const params = parameters(types)
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
  return { params, results, captured: [...captured], nodes }
}

/** The bodies of one construct, which all take the same from outside. */
export interface Bodies {
  /** The parameters of each are its own, followed by one for everything that any of them takes from outside. */
  readonly bodies: readonly Subgraph[]
  /**
   * What they take from outside: the tensors that they capture, and readings of variables, which are made here and now.
   * A read comes before the writes of its run, so one that nothing in the construct could precede is the same outside of it, and
   * there gradients find it.
   */
  capture(): readonly Tensor[]
}

/** Makes the bodies of one construct of its traces. */
export function close(...traces: readonly Trace[]): Bodies {
  const captured = [...new Set(traces.flatMap((t) => t.captured))]
  const reads = liftedReads(traces)
  const taken = [...captured.map((t) => [t]), ...reads]
  const bodies = traces.map(({ params, results }) => {
    const extra = parameters(
      taken.map(([t]) => t!.type),
      params.length,
    )
    const replaced = new Map(taken.flatMap((same, i) => same.map((t) => [t, extra[i]!])))
    return { ...substitute({ fetches: results, targets: [] }, replaced), params: [...params, ...extra] }
  })
  return {
    bodies,
    capture: () => [
      ...captured,
      ...reads.map(([read]) => {
        const { node } = read!
        const { control } = surroundings()
        return node.with({ control, device: node.device || wantedDevice(node) }).outputs[0]!
      }),
    ],
  }
}

/** Reads inside the traces, by variable, of variables that none of them writes and that wait for nothing. */
function liftedReads(traces: readonly Trace[]): Tensor[][] {
  const nodes = traces.flatMap((t) => t.nodes)
  const written = new Set(nodes.flatMap((node) => [...effectsOf(node).writes]))
  const reads = new Map<AnyResource, Tensor[]>()
  for (const node of nodes) {
    if (node.op.traits.effect !== 'read' || node.inputs.length > 0 || node.control.length > 0) continue
    const [resource] = effectsOf(node).reads
    if (!resource || written.has(resource)) continue
    reads.set(resource, [...(reads.get(resource) ?? []), ...node.outputs])
  }
  return [...reads.values()]
}

/** The results of a body on other tensors: its nodes, made again around them. */
export function instantiate(body: Subgraph, args: readonly Tensor[]): readonly Tensor[] {
  return substitute(body, new Map(body.params.map((t, i) => [t, args[i]!]))).fetches
}
