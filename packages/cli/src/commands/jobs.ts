// shoal jobs: what the cluster does, has done, and is going to do.
import { Command } from 'commander'
import type { JobView } from '@shoal/edge-agent/client'
import type { Column } from '../drawing/table.ts'
import { duration } from '../drawing/quantities.ts'
import { action, type Invocation } from '../invocation.ts'
import { isOver, styleOf } from '../jobs/states.ts'
import type { Shell } from '../shell.ts'
import { attachCommand } from './attach.ts'
import { logsCommand } from './logs.ts'
import { stopCommand } from './stop.ts'

/** Lists jobs; shows one. */
export const jobsCommand = (shell: Shell): Command =>
  new Command('jobs')
    .description('list the jobs that the cluster remembers, the newest first')
    .option('--all', 'those too that ended long ago')
    .action(action(shell, list))
    .addCommand(
      new Command('show')
        .description('show where a job stands, and where its tasks are')
        .argument('<job>', 'its id, the beginning of it, or its name')
        .action(action(shell, show)),
    )
    .addCommand(attachCommand(shell))
    .addCommand(logsCommand(shell))
    .addCommand(stopCommand(shell))

/** As many ended jobs are listed as fit on a screen. */
const recent = 20

async function list(invocation: Invocation, { all = false }: { all?: boolean }): Promise<void> {
  await using agent = await invocation.agent()
  const { jobs } = await agent.jobs()
  const shown = all || invocation.json ? jobs : jobs.slice(0, recent)
  const lines = await invocation.table(shown, columnsFor(invocation.shell))
  const rest = jobs.length - shown.length
  invocation.answer(
    { jobs: shown },
    shown.length === 0
      ? ['There are no jobs. Begin one: shoal train train.ts']
      : rest > 0
        ? [...lines, `… and ${rest} more: shoal jobs --all`]
        : lines,
  )
}

const columnsFor = ({ out, today }: Shell): readonly Column<JobView>[] => [
  { title: 'job', of: ({ id }) => id },
  { title: 'name', of: ({ spec }) => spec.name },
  { title: 'kind', of: ({ spec }) => spec.kind },
  { title: 'state', of: ({ state }) => out.style(styleOf(state), state) },
  {
    title: 'tasks',
    of: ({ tasks, state: of }) => {
      if (isOver(of)) return ''
      const running = tasks.filter(({ state }) => state === 'running').length
      return tasks.length === 0 ? '' : `${running}/${tasks.length}`
    },
    align: 'right',
  },
  { title: 'begun', of: ({ submittedAt }) => `${duration(today() - submittedAt)} ago`, align: 'right' },
  {
    title: 'took',
    of: ({ submittedAt, endedAt }) => (endedAt === undefined ? '' : duration(endedAt - submittedAt)),
    align: 'right',
    optional: true,
  },
  { title: 'why', of: ({ reason }) => reason, optional: true },
]

async function show(invocation: Invocation, _: object, typed: string): Promise<void> {
  await using agent = await invocation.agent()
  const { findJob } = await import('../jobs/find.ts')
  const { id } = await findJob(agent, typed)
  const view = await agent.job(id)
  const { out, today } = invocation.shell
  const { spec, state, reason, leader, attempt, submittedAt, endedAt, tasks } = view
  const facts = [
    ['job', id],
    ['name', spec.name],
    [
      'kind',
      `${spec.kind}, ${spec.scheduling === 'gang' ? 'all tasks or none' : 'as many tasks as find a place'}`,
    ],
    ['state', out.style(styleOf(state), state)],
    ['why', reason],
    ['led by', leader || 'nobody now'],
    ['attempts', attempt > 1 ? String(attempt) : ''],
    ['begun', `${duration(today() - submittedAt)} ago`],
    ['took', endedAt === undefined ? '' : duration(endedAt - submittedAt)],
    ['settings', Object.keys(spec.settings).length === 0 ? '' : JSON.stringify(spec.settings)],
    ['data', Object.keys(spec.datasets).join(', ')],
  ].filter(([, value]) => value !== '')
  const lines = tasks.length === 0 ? [] : await invocation.table(tasks, taskColumns)
  invocation.answer(view, [
    ...facts.map(([name, value]) => `${name!.padEnd(9)} ${value}`),
    ...(lines.length > 0 ? ['', ...lines] : []),
  ])
}

const taskColumns: readonly Column<JobView['tasks'][number]>[] = [
  { title: 'task', of: ({ task }) => task },
  { title: 'node', of: ({ node }) => node },
  { title: 'state', of: ({ state }) => state },
]
