// Passes under supervision: every result checked, and a limit to the time that they may take.
import type { Graph } from '../graph/graph.ts'
import { verify } from '../graph/verify.ts'
import type { Pass } from './pass.ts'
import { runDeep } from './pass.ts'

/** The pass, with every graph that it makes checked against the invariants. @throws GraphError, when it broke one. */
export const checked = (pass: Pass): Pass => ({
  name: pass.name,
  run(graph, note) {
    const next = pass.run(graph, note)
    // A body mentions parameters that only the node around it explains: it is checked with that node.
    if (next !== graph && !isBody(next)) verify(next)
    return next
  },
})

function isBody(graph: Graph): boolean {
  const seen = new Set<object>()
  const stack = [...graph.fetches.map((t) => t.node), ...graph.targets]
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    if (node.op.body.kind === 'runtime' && node.op.body.role === 'parameter') return true
    stack.push(...node.inputs.map((t) => t.node), ...node.control)
  }
  return false
}

/**
 * Passes in order, as `pipeline`, which together may take so long. A pass cannot be interrupted; when the time is over after one, nothing
 * of what was done counts, and the graph comes back as it was given.
 * @param options.onTimeout is told the name of the pass after which the time was over.
 * @param options.now the clock, in ms; default the time of the platform.
 */
export const withDeadline = (
  passes: readonly Pass[],
  {
    timeoutMs,
    onTimeout,
    now = () => performance.now(),
  }: { readonly timeoutMs: number; readonly onTimeout?: (pass: string) => void; readonly now?: () => number },
): Pass => ({
  name: passes.map((p) => p.name).join(', '),
  run(graph, note) {
    const end = now() + timeoutMs
    let current = graph
    for (const pass of passes) {
      current = runDeep(pass, current, note)
      if (now() <= end) continue
      onTimeout?.(pass.name)
      return graph
    }
    return current
  },
})
