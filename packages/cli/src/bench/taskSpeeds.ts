// How fast the tasks of a job go, by what they have told so far.
import { byteRate, rate } from '../drawing/quantities.ts'
import type { Column } from '../drawing/table.ts'
import type { Invocation } from '../invocation.ts'
import { findJob } from '../jobs/find.ts'
import { follow } from '../jobs/follow.ts'
import { JobProgress, type TaskProgress } from '../jobs/progress.ts'

/** Answers with the speed of each task of a job. */
export async function taskSpeeds(invocation: Invocation, typed: string): Promise<void> {
  await using agent = await invocation.agent()
  const { id } = await findJob(agent, typed)
  const progress = new JobProgress()
  for await (const { events } of follow(invocation, id, { untilOver: false }))
    for (const event of events) progress.add(event)
  const tasks = [...progress.tasks.values()]
  const speeds = tasks.map(({ task, node, steps, bytes }) => ({
    task,
    node,
    stepsPerSecond: steps.perSecond,
    bytesPerSecond: bytes.perSecond,
  }))
  invocation.answer({ job: id, tasks: speeds }, await invocation.table(tasks, columns))
}

const columns: readonly Column<TaskProgress>[] = [
  { title: 'task', of: ({ task }) => task },
  { title: 'node', of: ({ node }) => node },
  {
    title: 'steps',
    of: ({ steps: { perSecond } }) => (perSecond === undefined ? 'not known yet' : rate(perSecond)),
    align: 'right',
  },
  {
    title: 'bytes',
    of: ({ bytes: { perSecond } }) => (perSecond === undefined ? '' : byteRate(perSecond)),
    align: 'right',
    optional: true,
  },
]
