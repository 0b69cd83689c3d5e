// A finished run in lines: what it was, who did it, how its numbers went, its trials, and what went wrong.
import type { JobSummary } from '@shoal/edge-agent/history'
import { bytes, duration, measured } from '../drawing/quantities.ts'
import { sparkline } from '../drawing/sparkline.ts'
import type { Column } from '../drawing/table.ts'
import type { Invocation } from '../invocation.ts'
import { trialTable } from '../jobs/draw.ts'
import { styleOf } from '../jobs/states.ts'

type Series = JobSummary['series'][number]

/** So many series are shown: those of tasks, before those of trials. */
const mostSeries = 24
const mostFailures = 10

/** The lines of a run. */
export async function summaryLines(invocation: Invocation, run: JobSummary): Promise<readonly string[]> {
  const { out } = invocation.shell
  const style: typeof out.style = (as, text) => out.style(as, text)
  const title = [
    style('bold', run.name),
    run.job,
    run.kind,
    style(styleOf(run.state), run.state),
    duration(run.durationMs),
    run.attempts > 1 ? `${run.attempts} attempts` : '',
    run.reason && style('dim', run.reason),
  ]
  const series = run.series.filter(({ trial }) => trial === undefined).slice(0, mostSeries)
  const trials = run.trials.map((trial) => ({ ...trial, step: undefined }))
  const failures = run.failures.slice(0, mostFailures).map(({ what }) => what)
  const more = run.failureCount - failures.length
  const options = { ...(out.columns !== undefined && { columns: out.columns }), title: titleStyle(style) }
  return [
    title.filter(Boolean).join('  '),
    ...section(await invocation.table(run.nodes, nodeColumns)),
    ...section(await invocation.table(series, seriesColumns)),
    ...section(trials.length > 0 ? trialTable(trials, options, style) : []),
    ...(failures.length > 0 ? ['', ...failures.map((what) => style('red', what))] : []),
    ...(more > 0 ? [`… and ${more} more failures`] : []),
    ...(run.unreadable > 0 ? ['', `${run.unreadable} lines of the log could not be read`] : []),
  ]
}

const titleStyle =
  (style: (as: 'bold', text: string) => string) =>
  (text: string): string =>
    style('bold', text)

/** Titles alone say nothing. */
const section = (lines: readonly string[]): readonly string[] => (lines.length > 1 ? ['', ...lines] : [])

const nodeColumns: readonly Column<JobSummary['nodes'][number]>[] = [
  { title: 'node', of: ({ node }) => node },
  { title: 'tasks', of: ({ tasks }) => String(tasks), align: 'right' },
  { title: 'trials', of: ({ trials }) => (trials > 0 ? String(trials) : ''), align: 'right', optional: true },
  { title: 'sent', of: ({ sent }) => bytes(sent), align: 'right' },
  { title: 'received', of: ({ received }) => bytes(received), align: 'right' },
  { title: 'lost', of: ({ lost }) => (lost > 0 ? String(lost) : ''), align: 'right', optional: true },
]

const seriesColumns: readonly Column<Series>[] = [
  { title: 'metric', of: ({ metric }) => metric },
  { title: 'task', of: ({ task }) => task ?? '' },
  { title: 'last', of: ({ last }) => measured(last), align: 'right' },
  { title: 'step', of: ({ points }) => measured(points.at(-1)?.step ?? 0), align: 'right' },
  {
    title: 'course',
    of: ({ points }) =>
      sparkline(
        points.map(({ mean }) => mean),
        40,
      ),
  },
]
