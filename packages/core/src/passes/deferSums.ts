// Takes sums over all steps out of loops: what a scan would add up step by step is computed at once when it has ended.
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { rewrite, toposort } from '../graph/graph.ts'
import { reshape } from '../ops/array/reshape.ts'
import { inPlaceOf } from '../graph/scope.ts'
import { matmul } from '../ops/linalg/matmul.ts'
import { add } from '../ops/math/add.ts'
import { sum } from '../ops/reduce/sum.ts'
import type { Size } from '../shape.ts'
import { isConcrete, normalizeAxes } from '../shape.ts'
import type { Note, Pass } from './pass.ts'
import type { ScanParts } from './scanParts.ts'
import { bodyNodes, knownFrom, outputsOf, partsOf, scanOf } from './scanParts.ts'
import { elementsOf } from './values.ts'

/**
 * A part of the state that only collects the sum of a matrix product, or of a sum, over all steps becomes one product or sum over the
 * stacked operands: the gradients of weights that every step uses. It is done where the operands are sequences or results already, or
 * no larger than the part of the state that is no longer read and written at every step. Values keep within rounding.
 */
export const deferSums: Pass = {
  name: 'deferSums',
  run(graph: Graph, note?: Note): Graph {
    const read = new Set<Tensor>([...graph.fetches, ...toposort(graph).flatMap((node) => node.inputs)])
    return rewrite(graph, (node, original) => {
      const parts = partsOf(node)
      if (!parts) return undefined
      const { history } = outputsOf(original)
      const place = parts.state.findIndex((_, i) => !read.has(history[i]!) && sumOf(parts, i))
      if (place < 0) return undefined
      const found = sumOf(parts, place)!
      note?.(node, `what it adds up of '${found.term.name}' is added up after it`)
      return inPlaceOf(node, () => deferred(node, parts, place, found))
    })
  },
}

/** A sum that part of a state collects: what is added at every step, of operands that are to be stacked. */
interface Collected {
  readonly term: Node
  readonly operands: readonly Tensor[]
}

/** What a part of the state only collects; undefined when it does something else, or when that had better stay in the loop. */
function sumOf(parts: ScanParts, place: number): Collected | undefined {
  const { inner, next } = parts.state[place]!
  const readers = readersOf(parts)
  const { node } = next
  if (node.op !== add.def || node.control.length > 0) return undefined
  if (readers.get(inner) !== 1 || readers.get(next) !== 1 || !node.inputs.includes(inner)) return undefined
  let [added] = node.inputs.filter((t) => t !== inner)
  while (added && added.node.op === reshape.def) added = added.node.inputs[0]
  if (!added || added.node.control.length > 0 || !isConcrete(inner.shape)) return undefined
  const term = added.node
  const isProduct = term.op === matmul.def && term.inputs.every(({ rank }) => rank === 2)
  if (!isProduct && term.op !== sum.def) return undefined
  const operands = term.inputs
  const unvarying = knownFrom(
    parts,
    parts.captured.map((passed) => passed.inner),
  )
  if (operands.some((t) => unvarying.has(t) || t === inner || !isConcrete(t.shape))) return undefined
  const atHand = new Set([...[...parts.rows, ...parts.state].map((passed) => passed.inner), ...parts.results])
  const fresh = operands.filter((t) => !atHand.has(t)).reduce((total, t) => total + elementsOf(t), 0)
  return fresh <= 2 * elementsOf(inner) ? { term, operands } : undefined
}

/** How often each tensor of a body is read; leaving the body counts as one. */
function readersOf(parts: ScanParts): Map<Tensor, number> {
  const readers = new Map<Tensor, number>()
  const leaving = [...parts.state.map(({ next }) => next), ...parts.results]
  for (const t of [...bodyNodes(parts).flatMap((node) => node.inputs), ...leaving])
    readers.set(t, (readers.get(t) ?? 0) + 1)
  return readers
}

/** The outputs of the scan without that part of the state, which is computed from the stacked operands. */
function deferred(node: Node, parts: ScanParts, place: number, { term, operands }: Collected): Tensor[] {
  const state = parts.state.filter((_, i) => i !== place)
  const fresh = operands.filter(
    (t) => !parts.results.includes(t) && ![...parts.rows, ...state].some(({ inner }) => inner === t),
  )
  const results = [...parts.results, ...new Set(fresh)]
  const scan = scanOf(node, { ...parts, state, results })
  const made = outputsOf(scan)
  const stacked = operands.map(
    (t) =>
      parts.rows.find(({ inner }) => inner === t)?.outer ??
      made.results[results.indexOf(t)] ??
      made.history[state.findIndex(({ inner }) => inner === t)]!,
  )
  const { outer, inner } = parts.state[place]!
  const total = reshape(totalOf(term, stacked), { shape: inner.shape as Size })
  const final = [...made.final]
  final.splice(place, 0, add(outer, total))
  const history = [...made.history]
  // Nobody reads the history of what is gone.
  history.splice(place, 0, outer)
  return [...final, ...made.results.slice(0, parts.results.length), ...history]
}

/** The sum over all steps of a product, or of a sum, with stacked operands. */
function totalOf(term: Node, stacked: readonly Tensor[]): Tensor {
  if (term.op !== sum.def) return sum(matmul(stacked[0]!, stacked[1]!, term.attrs), { axes: [0] })
  const axes = normalizeAxes(term.attrs['axes'] as readonly number[] | undefined, term.inputs[0]!.rank)
  return sum(stacked[0]!, { axes: [0, ...axes.map((axis) => axis + 1)] })
}
