// shoal leave: this machine is a cluster of its own again.
import { Command } from 'commander'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Leaves the cluster. */
export const leaveCommand = (shell: Shell): Command =>
  new Command('leave').description('leave the cluster; this node is one of its own again').action(
    action(shell, async (invocation) => {
      await using agent = await invocation.agent()
      await agent.leave()
      invocation.answer({ left: true }, ['This node has left the cluster.'])
    }),
  )
