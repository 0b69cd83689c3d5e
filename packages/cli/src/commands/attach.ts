// shoal attach: watch a job, from its beginning.
import { Command } from 'commander'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Watches a job until it is over. */
export const attachCommand = (shell: Shell): Command =>
  new Command('attach')
    .description('watch a job until it is over; Ctrl-C goes away, and the job goes on')
    .argument('<job>', 'its id, the beginning of it, or its name')
    .action(
      action(shell, async (invocation, _: object, typed: string) => {
        const { findJob } = await import('../jobs/find.ts')
        const { attach } = await import('../jobs/attach.ts')
        await using agent = await invocation.agent()
        const { id } = await findJob(agent, typed)
        await attach(invocation, id)
      }),
    )
