// A scan taken apart, so that passes can change what goes in and out of it, and put together again.
import { isPure } from '../graph/effects.ts'
import type { Node, Subgraph, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { substitute } from '../graph/substitute.ts'
import { parameter } from '../ops/graph/parameter.ts'

/** A value that goes into the body: the tensor outside, and what stands for it inside. */
export interface Passed {
  readonly outer: Tensor
  /** A parameter of the body, or a tensor that is to become one. */
  readonly inner: Tensor
}

/** A part of the state, with what the body makes of it. */
export interface Carried extends Passed {
  readonly next: Tensor
}

/** All that a scan is made of. */
export interface ScanParts {
  readonly state: readonly Carried[]
  /** Sequences and their rows. */
  readonly rows: readonly Passed[]
  readonly captured: readonly Passed[]
  readonly results: readonly Tensor[]
  /** Nodes of the body that run for their effects. */
  readonly targets: readonly Node[]
}

/** The parts of a scan; undefined for every other node. */
export function partsOf(node: Node): ScanParts | undefined {
  const { body: kind } = node.op
  if (kind.kind !== 'runtime' || kind.role !== 'scan') return undefined
  const { body, carries, sequences } = node.attrs as {
    readonly body: Subgraph
    readonly carries: number
    readonly sequences: number
  }
  const passed = node.inputs.map((outer, i): Passed => ({ outer, inner: body.params[i]! }))
  return {
    state: passed.slice(0, carries).map((part, i) => ({ ...part, next: body.fetches[i]! })),
    rows: passed.slice(carries, carries + sequences),
    captured: passed.slice(carries + sequences),
    results: body.fetches.slice(carries),
    targets: body.targets,
  }
}

/** The scan made of other parts, in the place of `node`. What was inside is replaced by parameters wherever something is passed in its stead. */
export function scanOf(node: Node, { state, rows, captured, results, targets }: ScanParts): Node {
  const passed = [...state, ...rows, ...captured]
  const params = passed.map(({ inner }, index) =>
    inner.node.op === parameter.def && inner.node.attrs['index'] === index
      ? inner
      : parameter({ index, shape: inner.shape, dtype: inner.dtype, name: inner.name }),
  )
  const replaced = new Map(passed.map(({ inner }, i) => [inner, params[i]!]))
  const fetches = [...state.map(({ next }) => next), ...results]
  const steps = lengthOf(node)
  return node.with({
    inputs: passed.map(({ outer }) => outer),
    attrs: {
      ...node.attrs,
      body: { ...substitute({ fetches, targets }, replaced), params },
      carries: state.length,
      sequences: rows.length,
      ...(rows.length === 0 && steps !== undefined ? { length: steps } : {}),
    },
  })
}

/** How many steps a scan has; undefined while that is not known. */
export function lengthOf(node: Node): number | undefined {
  const [carries, sequences] = [Number(node.attrs['carries']), Number(node.attrs['sequences'])]
  const steps = sequences > 0 ? node.inputs[carries]!.shape[0] : node.attrs['length']
  return typeof steps === 'number' ? steps : undefined
}

/** The outputs of a scan by what they are. */
export interface ScanOutputs {
  readonly final: readonly Tensor[]
  readonly results: readonly Tensor[]
  /** The state before every step. */
  readonly history: readonly Tensor[]
}

/** Sorts the outputs of a scan. */
export function outputsOf({ attrs, outputs }: Node): ScanOutputs {
  const carries = Number(attrs['carries'])
  return {
    final: outputs.slice(0, carries),
    results: outputs.slice(carries, outputs.length - carries),
    history: outputs.slice(outputs.length - carries),
  }
}

/**
 * The values of a body that follow from some others alone, without effects.
 * @param given what is known to begin with, besides constants.
 */
export function knownFrom(parts: ScanParts, given: Iterable<Tensor>): Set<Tensor> {
  const known = new Set(given)
  for (const node of bodyNodes(parts))
    if (
      isPure(node) &&
      node.control.length === 0 &&
      !isParameter(node) &&
      node.inputs.every((t) => known.has(t))
    )
      node.outputs.forEach((t) => known.add(t))
  return known
}

/** All nodes of a body, in dependency order. */
export const bodyNodes = ({ state, results, targets }: ScanParts): readonly Node[] =>
  toposort({ fetches: [...state.map(({ next }) => next), ...results], targets })

/** Does a node stand for what is passed into its body? */
export const isParameter = (node: Node): boolean => node.op === parameter.def

/** The values among `known` that others are computed from, or that leave the body. */
export function edgeOf(parts: ScanParts, known: ReadonlySet<Tensor>): Set<Tensor> {
  const edge = new Set<Tensor>()
  for (const node of bodyNodes(parts))
    if (node.outputs.length === 0 || !known.has(node.outputs[0]!))
      for (const t of node.inputs) if (known.has(t)) edge.add(t)
  for (const t of [...parts.state.map(({ next }) => next), ...parts.results]) if (known.has(t)) edge.add(t)
  return edge
}
