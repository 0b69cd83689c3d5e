// How fast nodes are and the ways between them, as they have measured themselves.
import type { NodeView } from '@shoal/edge-agent/client'
import { byteRate, measured } from '../drawing/quantities.ts'
import type { Column } from '../drawing/table.ts'
import type { Invocation } from '../invocation.ts'

/** Answers with what each node of the cluster has measured. */
export async function nodeSpeeds(invocation: Invocation): Promise<void> {
  await using agent = await invocation.agent()
  const { nodes } = await agent.nodes()
  const told = nodes.filter(({ inventory }) => inventory !== undefined)
  const links = told.flatMap(({ nodeId, inventory }) =>
    Object.entries(inventory!.links).map(([to, link]) => ({ from: nodeId, to, ...link })),
  )
  const speeds = told.map(({ nodeId, inventory }) => ({
    node: nodeId,
    cores: inventory!.cores,
    speed: inventory!.speed,
  }))
  invocation.answer({ nodes: speeds, links }, [
    ...(await invocation.table(told, speedColumns)),
    ...(links.length > 0 ? ['', ...(await invocation.table(links, linkColumns))] : []),
  ])
}

const speedColumns: readonly Column<NodeView>[] = [
  { title: 'node', of: ({ nodeId }) => nodeId },
  { title: 'cores', of: ({ inventory }) => String(inventory?.cores ?? ''), align: 'right' },
  {
    title: 'GFLOP/s a core',
    of: ({ inventory }) => (inventory?.speed ? measured(inventory.speed.gflops) : 'not measured yet'),
    align: 'right',
  },
  {
    title: 'memory',
    of: ({ inventory }) => (inventory?.speed ? byteRate(inventory.speed.gigabytesPerSecond * 1e9) : ''),
    align: 'right',
  },
]

type Link = {
  readonly from: string
  readonly to: string
  readonly roundTripMs: number
  readonly bytesPerSecond: number
}

const linkColumns: readonly Column<Link>[] = [
  { title: 'from', of: ({ from }) => from },
  { title: 'to', of: ({ to }) => to },
  { title: 'there and back', of: ({ roundTripMs }) => `${measured(roundTripMs)} ms`, align: 'right' },
  { title: 'bytes', of: ({ bytesPerSecond }) => byteRate(bytesPerSecond), align: 'right' },
]
