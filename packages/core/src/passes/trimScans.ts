// Takes out of scans the results that nobody reads, and the sequences whose rows the body does not read.
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { rewrite, toposort } from '../graph/graph.ts'
import { hasEffectsBefore } from './cone.ts'
import type { Note, Pass } from './pass.ts'
import { bodyNodes, lengthOf, outputsOf, partsOf, scanOf } from './scanParts.ts'

/** Removes unread results of scans, unless they have effects, and unread sequences. States stay, for the body may need them. */
export const trimScans: Pass = {
  name: 'trimScans',
  run(graph: Graph, note?: Note): Graph {
    const read = new Set<Tensor>([...graph.fetches, ...toposort(graph).flatMap((node) => node.inputs)])
    return rewrite(graph, (node, original) => {
      const parts = partsOf(node)
      if (!parts) return undefined
      const used = outputsOf(original).results.map(
        (t, i) => read.has(t) || hasEffectsBefore(parts.results[i]!.node),
      )
      // Something has to stand for the results that are gone, though nobody reads it.
      if (parts.state.length === 0 && !used.includes(true)) return undefined
      const lighter = { ...parts, results: parts.results.filter((_, i) => used[i]) }
      const inside = new Set<Node>(bodyNodes(lighter))
      const rows = parts.rows.filter(({ inner }) => inside.has(inner.node))
      // One sequence has to tell the number of steps, where it is not known.
      if (rows.length === 0 && lengthOf(node) === undefined) rows.push(...parts.rows.slice(0, 1))
      if (rows.length === parts.rows.length && !used.includes(false)) return undefined
      if (used.includes(false)) note?.(node, 'a result of its steps is not read')
      if (rows.length < parts.rows.length) note?.(node, 'the rows of a sequence are not read')
      const scan = scanOf(node, { ...lighter, rows })
      const { final, results, history } = outputsOf(scan)
      const place = (i: number): number => used.slice(0, i).filter(Boolean).length
      return [...final, ...used.map((is, i) => (is ? results[place(i)]! : scan.outputs[0]!)), ...history]
    })
  },
}
