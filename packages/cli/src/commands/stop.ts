// shoal stop: a job ends before its time.
import { Command } from 'commander'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Stops a job. */
export const stopCommand = (shell: Shell): Command =>
  new Command('stop')
    .description('end a job: its tasks are asked to, and ended 5 seconds later')
    .argument('<job>', 'its id, the beginning of it, or its name')
    .option('--reason <text>', 'why, for its history', 'stopped by hand')
    .action(
      action(shell, async (invocation, { reason }: { reason: string }, typed: string) => {
        await using agent = await invocation.agent()
        const { findJob } = await import('../jobs/find.ts')
        const { id, spec } = await findJob(agent, typed)
        await agent.stopJob(id, reason)
        invocation.answer({ job: id, stopping: true }, [`${spec.name} (${id}) is asked to stop.`])
      }),
    )
