// Lets a loop keep what another one would compute again: gradients of loops begin with the body as it was, and most of it is known since then.
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { rewrite, toposort } from '../graph/graph.ts'
import { substitute } from '../graph/substitute.ts'
import { isConcrete } from '../shape.ts'
import { costlyBefore } from './costly.ts'
import { cse } from './cse.ts'
import type { Note, Pass } from './pass.ts'
import type { Passed, ScanParts } from './scanParts.ts'
import { edgeOf, knownFrom, outputsOf, partsOf, scanOf } from './scanParts.ts'

/**
 * Where a scan runs over the states that an earlier one went through, it computes some of the same values at every step. The costly ones
 * (see `costly.ts`) become results of the earlier scan and sequences of the later one: time is saved, and memory spent that
 * grows with the number of steps. Values keep their bits.
 */
export const keepValues: Pass = {
  name: 'keepValues',
  run(graph: Graph, note?: Note): Graph {
    const plan = new Plan(graph)
    if (plan.borrowers.size === 0) return graph
    const changed = new Map<Node, Node>()
    return rewrite(graph, (node, original) => {
      const parts = partsOf(node)
      const [grown, borrowed] = [plan.makers.get(original), plan.borrowers.get(original) ?? []]
      if (!parts || (!grown && borrowed.length === 0)) return undefined
      const rows = borrowed.map(
        ({ maker, place, inner }): Passed => ({
          outer: outputsOf(changed.get(maker) ?? maker).results[place]!,
          inner,
        }),
      )
      const scan = scanOf(node, { ...withBody(parts, grown), rows: [...parts.rows, ...rows] })
      changed.set(original, scan)
      if (rows.length > 0) note?.(node, 'an earlier loop keeps what it would compute again')
      const { final, results: made, history } = outputsOf(scan)
      return [...final, ...made.slice(0, parts.results.length), ...history]
    })
  },
}

/** The parts with another body around what goes into it. */
const withBody = (parts: ScanParts, body: ScanParts = parts): ScanParts => ({
  ...body,
  state: parts.state.map((part, i) => ({ ...part, next: body.state[i]!.next })),
  rows: parts.rows,
  captured: parts.captured,
})

/** A value in the body of a scan that result `place` of another scan stands for. */
interface Borrowed {
  readonly maker: Node
  readonly place: number
  readonly inner: Tensor
}

/** Which scans are to keep what, and for whom. */
class Plan {
  /** Scans with the results that they are to have; the new ones come last. */
  readonly makers = new Map<Node, ScanParts>()
  readonly borrowers = new Map<Node, readonly Borrowed[]>()

  constructor(graph: Graph) {
    for (const node of toposort(graph)) {
      const parts = partsOf(node)
      if (!parts) continue
      const borrowed = [...makersBefore(parts)].flatMap((maker) => this.borrow(parts, maker))
      if (borrowed.length > 0) this.borrowers.set(node, borrowed)
    }
  }

  private borrow(parts: ScanParts, maker: Node): Borrowed[] {
    const made = this.makers.get(maker) ?? partsOf(maker)!
    const known = counterparts(parts, maker, made)
    const unvarying = knownFrom(
      parts,
      parts.captured.map(({ inner }) => inner),
    )
    const values = [...costlyBefore(edgeOf(parts, knownFrom(parts, known.keys())))].filter(
      (t) => !unvarying.has(t) && t.dtype !== 'string' && isConcrete(t.shape),
    )
    if (values.length === 0) return []
    const { fetches } = substitute({ fetches: values, targets: [] }, known)
    const { parts: grown, places } = withResults(made, fetches)
    this.makers.set(maker, grown)
    return values.map((inner, i) => ({ maker, place: places[i]!, inner }))
  }
}

/** The scans whose history a scan runs over. */
const makersBefore = ({ rows }: ScanParts): Set<Node> =>
  new Set(
    rows.flatMap(({ outer }) =>
      partsOf(outer.node) && outputsOf(outer.node).history.includes(outer) ? [outer.node] : [],
    ),
  )

/** What is passed into the body of a scan and known in the body of the maker at the same step, with what it is there. */
function counterparts(parts: ScanParts, maker: Node, made: ScanParts): Map<Tensor, Tensor> {
  const { results, history } = outputsOf(maker)
  const rows = new Map<Tensor, Tensor>([
    ...made.rows.map(({ outer, inner }) => [outer, inner] as const),
    ...history.map((t, i) => [t, made.state[i]!.inner] as const),
    ...results.map((t, i) => [t, made.results[i]!] as const),
  ])
  const captured = new Map(made.captured.map(({ outer, inner }) => [outer, inner]))
  const found = (passed: readonly Passed[], there: ReadonlyMap<Tensor, Tensor>) =>
    passed.flatMap(({ outer, inner }) => (there.has(outer) ? [[inner, there.get(outer)!] as const] : []))
  return new Map([...found(parts.rows, rows), ...found(parts.captured, captured)])
}

/** A body with more results, each at its place; what the body has already is not made twice. */
function withResults(
  parts: ScanParts,
  values: readonly Tensor[],
): { readonly parts: ScanParts; readonly places: readonly number[] } {
  const { state, results, targets } = parts
  const merged = cse.run({ fetches: [...state.map(({ next }) => next), ...results, ...values], targets })
  const [next, made, wanted] = [
    merged.fetches.slice(0, state.length),
    merged.fetches.slice(state.length, state.length + results.length),
    merged.fetches.slice(state.length + results.length),
  ]
  const all = [...new Set(wanted)].filter((t) => !made.includes(t))
  const grown = [...made, ...all]
  return {
    parts: {
      ...parts,
      state: state.map((part, i) => ({ ...part, next: next[i]! })),
      results: grown,
      targets: merged.targets,
    },
    places: wanted.map((t) => grown.indexOf(t)),
  }
}
