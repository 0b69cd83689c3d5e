// The other nodes: how far they are, who is missing, and why.
import type { NodeView } from '../api/node.ts'
import { type Finding, findingsOn } from './finding.ts'
import type { Patient } from './patient.ts'

const { good, fault, unknown } = findingsOn('neighbours')

/** Examines what the agent knows of the others; where there is no agent, what those say who were in the cluster when it ran last. */
export function examineNeighbours({ report, knocks }: Patient): readonly Finding[] {
  if (!report)
    return knocks.map(({ address, answer, problem }) =>
      answer
        ? good(`'${answer.nodeId}' answers at ${address}`)
        : fault(`nobody of the cluster answers at ${address}: ${problem}`, 'see whether that node runs'),
    )
  const [self, ...others] = report.nodes
  if (others.length === 0)
    return [
      unknown(
        'no other node was found',
        'shoal up on another machine of this network; where multicast does not work, shoal up --peer HOST:PORT',
      ),
    ]
  return others.map((node) => {
    const link = self?.inventory?.links[node.nodeId]
    return findingOn(node, self!, link ? `, ${link.roundTripMs.toFixed(1)} ms there and back` : '')
  })
}

function findingOn(
  { nodeId, clusterId, state, addresses, problem }: NodeView,
  self: NodeView,
  distance: string,
): Finding {
  const who = nodeId ? `'${nodeId}'` : `the node at ${addresses[0] ?? 'no address'}`
  const why = problem ? `: ${problem}` : ''
  if (state === 'trusted') return good(`${who} is connected${distance}`)
  if (nodeId && clusterId !== self.clusterId) return unknown(`${who} is of another cluster${why}`)
  switch (state) {
    case 'lost':
      return fault(
        `${who} is of this cluster and not connected${why}`,
        `see whether it runs (shoal doctor there); if it does not come back: shoal remove ${nodeId}`,
      )
    case 'reachable':
      return fault(`${who} cannot be worked with${why}`, 'shoal --version shows on each which is older')
    default:
      return fault(`${who} was heard of, and is not reached${why}`, 'shoal doctor there says more')
  }
}
