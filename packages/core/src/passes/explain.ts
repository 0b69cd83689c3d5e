// What passes did to a graph, for people: the graph after each, and why nodes are gone.
import { label } from '../errors.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { printGraph } from '../graph/print.ts'
import type { Pass } from './pass.ts'
import { runDeep } from './pass.ts'

/**
 * Runs passes one after the other and tells what each of them did: how many nodes are left, why others went, and the graph as text.
 * The text of a pass that found nothing to do is one line.
 */
export function explainPasses(graph: Graph, passes: readonly Pass[]): string {
  const sections = [`given: ${countOf(graph)}\n${printGraph(graph)}`]
  let current = graph
  for (const pass of passes) {
    const reasons: string[] = []
    const next = runDeep(pass, current, (node, why) => reasons.push(`- ${label(node)}: ${why}`))
    sections.push(
      next === current ? `${pass.name}: nothing to do` : section(pass.name, current, next, reasons),
    )
    current = next
  }
  return sections.join('\n\n')
}

function section(name: string, before: Graph, after: Graph, reasons: readonly string[]): string {
  const explained = new Set(reasons.map((line) => line.slice(0, line.indexOf(':'))))
  const unread = gone(before, after)
    .map((node) => `- ${label(node)}`)
    .filter((line) => !explained.has(line))
  const lines = [...reasons, ...new Set(unread.map((line) => `${line}: nothing needs it any more`))]
  return [`${name}: ${countOf(after)}`, ...lines, printGraph(after)].join('\n')
}

const countOf = (graph: Graph): string => {
  const count = toposort(graph).length
  return count === 1 ? '1 node' : `${count} nodes`
}

/** Nodes whose op and name nothing has afterwards: one made anew on other inputs is still the same to a reader. */
function gone(before: Graph, after: Graph): Node[] {
  const left = new Set(toposort(after).map(label))
  return toposort(before).filter((node) => !left.has(label(node)))
}
