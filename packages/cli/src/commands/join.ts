// shoal join: this machine becomes a node of the cluster whose code it was given.
import { Command } from 'commander'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Joins a cluster. */
export const joinCommand = (shell: Shell): Command =>
  new Command('join')
    .description('join the cluster of a code that shoal invite printed there')
    .argument('<code>', 'the code')
    .option('--address <host:port>', 'where a node of the cluster is, if it is not found by itself')
    .option('--name <name>', 'what the node is called from then on; its name stays otherwise')
    .action(
      action(shell, async (invocation, how: { address?: string; name?: string }, code: string) => {
        await using agent = await invocation.agent()
        const joined = await agent.join(code, how)
        invocation.answer(joined, [
          `${joined.nodeId} is of cluster ${joined.clusterId.slice(0, 12)} now, as ${joined.role}. Who else is: shoal nodes`,
        ])
      }),
    )
