// shoal nodes: who is there, how far each was got to, and what it has to offer.
import { Command } from 'commander'
import type { NodeView } from '@shoal/edge-agent/client'
import type { Column } from '../drawing/table.ts'
import { bytes, measured, percent } from '../drawing/quantities.ts'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

const styles = { self: 'green', trusted: 'green', reachable: 'yellow', seen: 'dim', lost: 'red' } as const

/** Lists the nodes that the agent knows. */
export const nodesCommand = (shell: Shell): Command =>
  new Command('nodes')
    .description('list the nodes that are there, and what they have')
    .addHelpText(
      'after',
      `
States: self; trusted: connected and of this cluster; reachable: answers, but is not of this
cluster; seen: announced only; lost: of this cluster, and not heard of now.`,
    )
    .action(
      action(shell, async (invocation) => {
        await using agent = await invocation.agent()
        const { nodes } = await agent.nodes()
        invocation.answer({ nodes }, await invocation.table(nodes, columnsFor(shell)))
      }),
    )

const columnsFor = ({ out }: Shell): readonly Column<NodeView>[] => [
  { title: 'node', of: ({ nodeId, addresses }) => nodeId || (addresses[0] ?? '?') },
  { title: 'state', of: ({ state }) => out.style(styles[state], state) },
  { title: 'role', of: ({ role }) => role },
  { title: 'address', of: ({ nodeId, addresses }) => (nodeId ? (addresses[0] ?? '') : ''), optional: true },
  { title: 'cores', of: ({ inventory }) => String(inventory?.cores ?? ''), align: 'right', optional: true },
  {
    title: 'GFLOP/s',
    // Of one core, times how many there are: what the node could do if it did nothing else.
    of: ({ inventory }) => (inventory?.speed ? measured(inventory.speed.gflops * inventory.cores) : ''),
    align: 'right',
    optional: true,
  },
  {
    title: 'free memory',
    of: ({ inventory }) => (inventory ? bytes(inventory.freeMemoryBytes) : ''),
    align: 'right',
    optional: true,
  },
  {
    title: 'load',
    of: ({ inventory }) => (inventory ? percent(inventory.load) : ''),
    align: 'right',
    optional: true,
  },
  {
    title: 'heat',
    of: ({ inventory: { heat } = {} }) =>
      heat
        ? out.style(
            heat.throttled ? 'red' : 'dim',
            `${Math.round(heat.celsius)} °C${heat.throttled ? ', slowed' : ''}`,
          )
        : '',
    optional: true,
  },
  {
    title: 'devices',
    of: ({ inventory }) => [...new Set(inventory?.devices.map(({ type }) => type))].join(', '),
    optional: true,
  },
  { title: 'why', of: ({ problem }) => problem, optional: true },
]
