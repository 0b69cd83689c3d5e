// Puts the bodies of graph functions in the place of their calls.
import { isSubgraph, rewrite } from '../graph/graph.ts'
import { substitute } from '../graph/substitute.ts'
import type { Pass } from './pass.ts'

/** Replaces every call of a graph function by its body, named under the call; calls inside bodies too. */
export const inline: Pass = {
  name: 'inline',
  run(graph) {
    let current = graph
    for (;;) {
      const next = rewrite(current, (call) => {
        const { body } = call.op
        const called = call.attrs['function']
        if (body.kind !== 'runtime' || body.role !== 'call' || !isSubgraph(called)) return undefined
        const args = new Map(called.params.map((t, i) => [t, call.inputs[i]!]))
        // Every node is made anew: two calls have two effects, and all of a body waits for what its call waits for.
        return substitute(called, args, (node, inputs, control) =>
          node.with({
            inputs,
            control: [...control, ...call.control],
            name: `${call.name}/${node.name}`,
            device: node.device || call.device,
          }),
        ).fetches
      })
      if (next === current) return next
      current = next
    }
  },
}
