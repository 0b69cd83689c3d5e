// The structure of what is fetched: a tensor, a variable, an effect, or lists and records of them; answers have the same structure.
import { NotFoundError, ValueError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { Node, Tensor, toposort } from '../graph/graph.ts'
import type { NDArray } from '../ndarray.ts'
import { Variable } from '../ops/state/variable.ts'

/** What a run can be asked for: values of tensors and variables; nodes only run, their answer is undefined. */
export type Fetch = Tensor | Variable | Node
/** Fetches in any structure of arrays and records; maps by name, as loaded graphs have them, count as records. */
export type Fetches =
  | Fetch
  | readonly Fetches[]
  | ReadonlyMap<string, Fetch>
  | { readonly [key: string]: Fetches }

/** The answer to fetches of type F. */
export type Fetched<F> = F extends Tensor | Variable
  ? NDArray
  : F extends Node
    ? undefined
    : F extends readonly unknown[]
      ? { -readonly [K in keyof F]: Fetched<F[K]> }
      : F extends ReadonlyMap<string, infer V>
        ? { [name: string]: Fetched<V> }
        : F extends object
          ? { -readonly [K in keyof F]: Fetched<F[K]> }
          : never

/** Fetches as a graph, and the way back to their structure. */
export interface FlatFetches {
  readonly graph: Graph
  /** Puts the values of `graph.fetches` where they were asked for. */
  restore(values: readonly NDArray[]): unknown
}

/** @throws ValueError for anything that cannot be fetched. */
export function flattenFetches(fetches: Fetches): FlatFetches {
  const tensors: Tensor[] = []
  const targets: Node[] = []
  const visit = (fetch: Fetches): ((values: readonly NDArray[]) => unknown) => {
    if (fetch instanceof Tensor || fetch instanceof Variable) {
      const index = tensors.push(fetch instanceof Variable ? fetch.read() : fetch) - 1
      return (values) => values[index]
    }
    if (fetch instanceof Node) {
      targets.push(fetch)
      return () => undefined
    }
    if (Array.isArray(fetch)) {
      const parts = (fetch as readonly Fetches[]).map(visit)
      return (values) => parts.map((part) => part(values))
    }
    const given: unknown = fetch
    if (typeof given === 'string')
      throw new ValueError(
        `'${given}' is a name: fetch the tensor itself, of a loaded graph \`loaded.fetches.get('${given}')\``,
      )
    if (given instanceof Map) return visit(Object.fromEntries(given as ReadonlyMap<string, Fetch>))
    if (typeof fetch !== 'object' || fetch === null)
      throw new ValueError(
        `cannot fetch ${String(fetch)}: fetch tensors, variables, nodes, or lists and records of them`,
      )
    const parts = Object.entries(fetch).map(([key, part]) => [key, visit(part as Fetches)] as const)
    return (values) => Object.fromEntries(parts.map(([key, part]) => [key, part(values)]))
  }
  const restore = visit(fetches)
  return { graph: { fetches: tensors, targets }, restore }
}

/** What names mean in the graph of some fetches; remembered for as long as its roots are, since every run may ask. */
export function tensorFinder(graph: Graph): (name: string) => Tensor {
  return (name) => tensorNamed(name, namesOf(graph))
}

interface Names {
  readonly roots: readonly Node[]
  readonly nodes: ReadonlyMap<string, readonly Node[]>
}
const known = new WeakMap<Node, Names>()

function namesOf(graph: Graph): Names['nodes'] {
  const roots = [...graph.fetches.map((t) => t.node), ...graph.targets]
  const [first] = roots
  const last = first && known.get(first)
  if (last && last.roots.length === roots.length && roots.every((n, i) => n === last.roots[i]))
    return last.nodes
  const nodes = Map.groupBy(toposort(graph), (node) => node.name)
  if (first) known.set(first, { roots, nodes })
  return nodes
}

/** The tensor that a name means: `'dense/matmul'`, or `'split:1'` for a later output. @throws NotFoundError, or when two nodes have the name. */
function tensorNamed(name: string, nodes: Names['nodes']): Tensor {
  const [, base, index] = /^(.*?)(?::(\d+))?$/.exec(name) as unknown as [string, string, string | undefined]
  const found = nodes.get(base) ?? []
  if (found.length === 0) {
    const placeholders = [...nodes.values()]
      .flat()
      .filter((n) => n.op.body.kind === 'runtime' && n.op.body.role === 'feed')
      .map((n) => n.name)
    throw new NotFoundError(
      `nothing in the graph is named '${base}'; its placeholders are ${placeholders.join(', ') || 'none'}`,
    )
  }
  if (found.length > 1)
    throw new NotFoundError(
      `${found.length} nodes are named '${base}': use the tensor itself, or give them names of their own`,
    )
  const tensor = found[0]!.outputs[Number(index ?? 0)]
  if (!tensor)
    throw new NotFoundError(`'${base}' has ${found[0]!.outputs.length} outputs, there is no output ${index}`)
  return tensor
}
