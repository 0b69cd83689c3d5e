// A picture of a job as lines: what it is, its tasks, its loss as a curve, its trials. As many as fit.
import { braillePlot } from '../drawing/braille.ts'
import { byteRate, bytes, duration, measured, rate } from '../drawing/quantities.ts'
import { type Column, table } from '../drawing/table.ts'
import { fit, pad } from '../drawing/width.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { JobProgress, TaskProgress, TrialProgress } from './progress.ts'
import { isRate } from './progress.ts'
import { styleOf } from './states.ts'

/** Where a job is drawn. */
export interface DrawOptions {
  readonly columns: number
  readonly rows: number
  readonly style: Terminal['style']
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The lines of a job. Those that do not fit are left out from the end: title, tasks, trials, the curve. */
export function drawJob(job: JobProgress, options: DrawOptions): readonly string[] {
  const { columns, rows, style } = options
  const room = rows - 2
  const lines = [title(job, options)]
  const titles = (text: string): string => style('dim', text)
  const section = (most: number, drawn: readonly string[]): void => {
    if (drawn.length > 1 && most >= 2) lines.push(...drawn.slice(0, most))
  }
  const shownTasks = Math.max(1, Math.min(job.tasks.size, Math.floor(room / 2)))
  section(room - lines.length, taskLines(job, { columns, title: titles }, shownTasks, style))
  const trials = trialLines(job, { columns, title: titles }, Math.max(3, Math.floor(room / 3)), style)
  section(room - lines.length, trials)
  section(room - lines.length, curve(job, Math.min(room - lines.length, 8), columns, style))
  return lines.map((line) => fit(line, columns))
}

function title(job: JobProgress, { style, now }: DrawOptions): string {
  const since =
    job.submittedAt === undefined ? '' : duration(Math.max(0, (job.endedAt ?? now) - job.submittedAt))
  const moved = job.bytesMoved
  return [
    style('bold', job.name),
    job.job,
    style(styleOf(job.state), job.state),
    job.attempt > 0 ? `attempt ${job.attempt + 1}` : '',
    since,
    moved > 0 ? `${bytes(moved)} moved` : '',
    job.reason && style('dim', job.reason),
  ]
    .filter(Boolean)
    .join('  ')
}

const taskStyles = { running: 'blue', done: 'green', failed: 'red', lost: 'red' } as const

function taskLines(
  job: JobProgress,
  options: Parameters<typeof table>[2],
  most: number,
  style: Terminal['style'],
): readonly string[] {
  const all = [...job.tasks.values()]
  const tasks = all.slice(0, most)
  const metrics = [...new Set(all.flatMap(({ values }) => Object.keys(values)))]
    .filter((name) => !isRate(name))
    .slice(0, 4)
  const columns: readonly Column<TaskProgress>[] = [
    { title: 'task', of: ({ task }) => task },
    { title: 'node', of: ({ node }) => node },
    { title: 'state', of: ({ state }) => style(taskStyles[state], state) },
    { title: 'trial', of: ({ trial }) => String(trial ?? ''), align: 'right', optional: true },
    {
      title: 'step',
      of: ({ step }) => (step === undefined ? '' : measured(step)),
      align: 'right',
      optional: true,
    },
    ...metrics.map(
      (name): Column<TaskProgress> => ({
        title: name,
        of: ({ values }) => (values[name] === undefined ? '' : measured(values[name])),
        align: 'right',
      }),
    ),
    { title: 'steps', of: (task) => optional(stepsPerSecond(task), rate), align: 'right', optional: true },
    {
      title: 'bytes',
      of: ({ bytes: { perSecond } }) => optional(perSecond, byteRate),
      align: 'right',
      optional: true,
    },
    { title: 'why', of: ({ reason }) => reason, optional: true },
  ]
  const rest = all.length - tasks.length
  return [...table(tasks, columns, options), ...(rest > 0 ? [style('dim', `… and ${rest} more tasks`)] : [])]
}

/** What the task says itself, otherwise what its steps say. */
const stepsPerSecond = ({ state, values, steps }: TaskProgress): number | undefined =>
  state === 'running' ? (values['stepsPerSecond'] ?? steps.perSecond) : undefined

const optional = (value: number | undefined, say: (value: number) => string): string =>
  value === undefined ? '' : say(value)

const trialStyles = { running: 'blue', complete: 'green', pruned: 'dim', failed: 'red' } as const

function trialLines(
  job: JobProgress,
  options: Parameters<typeof table>[2],
  most: number,
  style: Terminal['style'],
): readonly string[] {
  const all = [...job.trials.values()].sort((a, b) => a.trial - b.trial)
  if (all.length === 0) return []
  const count = (state: TrialProgress['state']): number => all.filter((trial) => trial.state === state).length
  const counts = (['running', 'complete', 'pruned', 'failed'] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`)
  return [`${style('bold', 'trials')}  ${counts.join(', ')}`, ...trialTable(all.slice(-most), options, style)]
}

/** The lines of a table of trials, titles first. */
export function trialTable(
  trials: readonly TrialProgress[],
  options: Parameters<typeof table>[2],
  style: Terminal['style'],
): readonly string[] {
  const params = [...new Set(trials.flatMap(({ params: own }) => Object.keys(own)))]
  const columns: readonly Column<TrialProgress>[] = [
    { title: 'trial', of: ({ trial }) => String(trial), align: 'right' },
    { title: 'state', of: ({ state }) => style(trialStyles[state], state) },
    { title: 'node', of: ({ node }) => node },
    {
      title: 'value',
      of: ({ value }) => optional(value, measured),
      align: 'right',
    },
    ...params.map(
      (name): Column<TrialProgress> => ({
        title: name,
        of: ({ params: own }) => sayParam(own[name]),
      }),
    ),
  ]
  return table(trials, columns, options)
}

const sayParam = (value: TrialProgress['params'][string] | undefined): string => {
  if (value === undefined) return ''
  if (typeof value === 'number') return measured(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The curve of the main metric, with its highest and lowest value at the edge. */
function curve(job: JobProgress, rows: number, columns: number, style: Terminal['style']): readonly string[] {
  const name = job.mainMetric
  const series = name === undefined ? undefined : job.series.get(name)
  if (name === undefined || !series || series.size < 2 || rows < 3) return []
  const edge = 10
  const plot = braillePlot(series.points(), { columns: Math.min(72, columns - edge - 2), rows: rows - 1 })
  const labels = plot.lines.map((_, row) =>
    row === 0 ? measured(plot.high) : row === plot.lines.length - 1 ? measured(plot.low) : '',
  )
  return [
    style('bold', name),
    ...plot.lines.map((line, row) => `${pad(labels[row]!, edge, 'right')} ${style('cyan', line)}`),
  ]
}
