// shoal logs: what the tasks of a job have written.
import { Command } from 'commander'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** The flags of `shoal logs`. */
interface LogFlags {
  readonly follow?: boolean
  readonly task?: string
}

/** Prints lines that tasks wrote. */
export const logsCommand = (shell: Shell): Command =>
  new Command('logs')
    .description('print what the tasks of a job have written')
    .argument('<job>', 'its id, the beginning of it, or its name')
    .option('-f, --follow', 'go on until the job is over')
    .option('--task <task>', 'of one task only: worker:0, or all of a job: worker')
    .action(
      action(shell, async (invocation, { follow: goOn = false, task }: LogFlags, typed: string) => {
        const { findJob } = await import('../jobs/find.ts')
        const { follow } = await import('../jobs/follow.ts')
        const { taskPainter } = await import('../jobs/lines.ts')
        const paint = taskPainter(shell.out)
        await using agent = await invocation.agent()
        const { id } = await findJob(agent, typed)
        for await (const { events } of follow(invocation, id, { untilOver: goOn }))
          for (const event of events) {
            if (event.kind !== 'log') continue
            if (task !== undefined && event.task !== task && event.task.split(':')[0] !== task) continue
            if (invocation.json) invocation.line(event)
            else if (event.stream === 'stdout') shell.out.print(`${paint(event.task)} ${event.line}`)
            else shell.out.print(`${paint(event.task)} ${shell.out.style('yellow', event.line)}`)
          }
      }),
    )
