// shoal history: runs told again by their logs alone, whether an agent runs or not.
import { Command } from 'commander'
import type { HistoryView } from '@shoal/edge-agent/history'
import type { Column } from '../drawing/table.ts'
import { duration } from '../drawing/quantities.ts'
import { action, type Invocation } from '../invocation.ts'
import { styleOf } from '../jobs/states.ts'
import type { Shell } from '../shell.ts'

/** The flags of `shoal history`. */
interface HistoryFlags {
  readonly from?: string
  readonly events?: true
}

/** Lists what this node remembers of jobs, or tells of one. */
export const historyCommand = (shell: Shell): Command =>
  new Command('history')
    .description('list the runs that this node has logs of, or tell one again')
    .argument('[job]', 'its id, the beginning of it, or its name')
    .option('--from <folder>', 'a folder of logs, in place of those of the agent')
    .option('--events', 'each event of the run, as a line of JSON')
    .action(action(shell, history))

async function history(
  invocation: Invocation,
  { from, events }: HistoryFlags,
  typed?: string,
): Promise<void> {
  const { findHistory, historiesOf } = await import('../history/histories.ts')
  const folders = from === undefined ? undefined : [invocation.path(from)]
  const found = await historiesOf(folders ?? (await invocation.folder()))
  if (typed === undefined) return list(invocation, found)
  const { readHistory, summarise } = await import('@shoal/edge-agent/history')
  const { path } = findHistory(found, typed)
  if (events) {
    for await (const event of readHistory(path)) if (event) invocation.line(event)
    return
  }
  const summary = await summarise(readHistory(path))
  const { summaryLines } = await import('../history/summaryLines.ts')
  invocation.answer(summary, invocation.json ? [] : await summaryLines(invocation, summary))
}

async function list(invocation: Invocation, histories: readonly HistoryView[]): Promise<void> {
  const lines = await invocation.table(histories, columnsFor(invocation.shell))
  invocation.answer({ histories }, histories.length === 0 ? ['This node has no logs of runs.'] : lines)
}

const columnsFor = ({ out, today }: Shell): readonly Column<HistoryView>[] => [
  { title: 'job', of: ({ job }) => job },
  { title: 'name', of: (view) => (view.readable ? view.name : '') },
  { title: 'kind', of: (view) => (view.readable ? view.kind : '') },
  {
    title: 'state',
    of: (view) =>
      view.readable ? out.style(styleOf(view.state), view.state) : out.style('red', 'unreadable'),
  },
  {
    title: 'begun',
    of: (view) => (view.readable ? `${duration(today() - view.submittedAt)} ago` : ''),
    align: 'right',
  },
  {
    title: 'took',
    of: (view) =>
      view.readable && view.endedAt !== undefined ? duration(view.endedAt - view.submittedAt) : '',
    align: 'right',
  },
  { title: 'why', of: (view) => (view.readable ? view.reason : view.problem), optional: true },
]
