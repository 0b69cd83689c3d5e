// The end of the agent of this machine: asked for, and waited for until its folder is free.
import { pause } from '@shoal/distributed/peers'
import { isLocked, StateFolder } from '@shoal/edge-agent/client'
import { CommandError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'

/** Milliseconds in which an agent ends its tasks and itself. */
const patienceMs = 20_000
const lookEveryMs = 50

/** Has the agent end, and waits until it has. Answers the name of its node. @throws NoAgentError where none runs, CommandError where it does not end. */
export async function endAgent(invocation: Invocation): Promise<string> {
  const { clock } = invocation.shell
  const folder = await StateFolder.open(await invocation.folder())
  await using agent = await invocation.agent()
  const { nodeId, pid } = await agent.status()
  await agent.stop()
  const until = clock.now() + patienceMs
  while (await isLocked(folder)) {
    if (clock.now() > until)
      throw new CommandError(`the agent has not ended in ${patienceMs / 1000} s`, {
        remedy: `end its process: kill ${pid}`,
      })
    await pause(lookEveryMs, clock)
  }
  return nodeId
}
