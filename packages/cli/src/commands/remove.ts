// shoal remove: a node is put out of the cluster, at once and for good.
import { Command } from 'commander'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Removes a node. */
export const removeCommand = (shell: Shell): Command =>
  new Command('remove')
    .description('put a node out of the cluster, at once and for good')
    .argument('<node>', 'its name, as shoal nodes shows it')
    .action(
      action(shell, async (invocation, _: object, nodeId: string) => {
        await using agent = await invocation.agent()
        await agent.remove(nodeId)
        invocation.answer({ removed: nodeId }, [
          `${nodeId} is not of this cluster any more. With a new code it can join again under another name: shoal join CODE --name NAME, there.`,
        ])
      }),
    )
