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
  const isStranger = ({ nodeId, clusterId }: NodeView): boolean =>
    nodeId !== '' && clusterId !== self!.clusterId
  const strangers = others.filter(isStranger).map(({ nodeId }) => `'${nodeId}'`)
  const found = others
    .filter((node) => !isStranger(node))
    .map((node) => {
      const silence = report.neighbours.find(({ nodeId }) => nodeId === node.nodeId)?.problem ?? ''
      return findingOn(node, { silence, roundTripMs: self!.inventory?.links[node.nodeId]?.roundTripMs })
    })
  if (strangers.length === 0) return found
  return [
    ...found,
    unknown(
      `of another cluster: ${strangers.join(', ')}`,
      'shoal invite makes a code by which one of them can join this one',
    ),
  ]
}

function findingOn(
  { nodeId, state, addresses, problem }: NodeView,
  { silence, roundTripMs }: { readonly silence: string; readonly roundTripMs: number | undefined },
): Finding {
  const who = nodeId ? `'${nodeId}'` : `the node at ${addresses[0] ?? 'no address'}`
  const why = problem ? `: ${problem}` : ''
  if (state === 'trusted' && silence !== '')
    return fault(
      `${who} is connected and does not answer: ${silence}`,
      'where the network drops what is on its way, or that machine is overloaded or asleep: shoal doctor there',
    )
  const distance = roundTripMs === undefined ? '' : `, ${roundTripMs.toFixed(1)} ms there and back`
  if (state === 'trusted') return good(`${who} is connected${distance}`)
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
