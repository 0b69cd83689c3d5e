// shoal down: the agent of this machine ends.
import { Command } from 'commander'
import { CommandError } from '../errors.ts'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Milliseconds in which an agent ends its tasks and itself. */
const patienceMs = 20_000

/** Stops the agent, and waits until it is gone. */
export const downCommand = (shell: Shell): Command =>
  new Command('down').description('end the agent of this machine, and its tasks').action(
    action(shell, async (invocation) => {
      await using agent = await invocation.agent()
      const { nodeId, pid } = await agent.status()
      await agent.stop()
      const late = Promise.withResolvers<never>()
      const disarm = shell.clock.after(patienceMs, () =>
        late.reject(
          new CommandError(`the agent has not ended in ${patienceMs / 1000} s`, {
            remedy: `end its process: kill ${pid}`,
          }),
        ),
      )
      // Its end ends the connection.
      await Promise.race([agent.connection.closed, late.promise]).finally(disarm)
      invocation.answer({ stopped: nodeId }, [`The agent of ${nodeId} has ended.`])
    }),
  )
