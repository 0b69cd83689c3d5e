// shoal down: the agent of this machine ends.
import { Command } from 'commander'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Stops the agent, and waits until it is gone. */
export const downCommand = (shell: Shell): Command =>
  new Command('down').description('end the agent of this machine, and its tasks').action(
    action(shell, async (invocation) => {
      const { endAgent } = await import('../agent/endAgent.ts')
      const nodeId = await endAgent(invocation)
      invocation.answer({ stopped: nodeId }, [`The agent of ${nodeId} has ended.`])
    }),
  )
