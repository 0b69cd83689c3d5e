// What the main job came to: tables for people, and the promises that it has to keep.
import { bytes, duration, type Json, measured, table } from 'shoal/client'
import { expectThat } from '@shoal/example-parts'
import type { EndedTrial, Outcome } from './job.ts'
import type { Story } from './story.ts'

/** The three jobs. */
export interface Outcomes {
  readonly training: Outcome
  readonly search: Outcome
  readonly ensemble: Outcome
}

/** How well something reads digits that it has not seen. */
interface Quality {
  readonly accuracy: number
  readonly logLoss: number
}

/** What the job of the ensemble says. */
interface Combined {
  readonly ensemble: Quality
  /** In the order of their loss in the search. */
  readonly members: readonly (Quality & { readonly name: string })[]
}

/** What is promised. */
export interface Promised {
  /** That the training reaches. */
  readonly accuracy: number
  readonly trials: number
}

/** Tells what came of the jobs, part by part. */
export function summarize(outcomes: Outcomes, nodes: readonly string[], story: Story): void {
  const { training, search, ensemble } = outcomes
  story.heading('What was measured, on 2,500 digits that nobody has learnt from')
  const { ensemble: together, members } = ensemble.result as unknown as Combined
  const readers = [
    { name: 'training on all nodes', ...trained(training.result) },
    ...members,
    { name: `the mean of these ${members.length}`, ...together },
  ]
  story.table(
    table(readers, [
      { title: 'model', of: ({ name }) => name },
      { title: 'accuracy', of: ({ accuracy }) => `${(100 * accuracy).toFixed(2)} %`, align: 'right' },
      { title: 'log-loss', of: ({ logLoss }) => logLoss.toFixed(4), align: 'right' },
    ]),
  )
  story.heading('Trials')
  story.table(table(search.trials, trialColumns(search.trials)))
  story.heading('Time, and bytes that each node sent to the others and received from them')
  const parts = Object.entries(outcomes) as readonly (readonly [string, Outcome])[]
  story.table(
    table(parts, [
      { title: 'job', of: ([name]) => name },
      { title: 'took', of: ([, { tookMs }]) => duration(tookMs), align: 'right' },
      ...nodes.map((node) => ({
        title: node,
        of: ([, outcome]: readonly [string, Outcome]) => sayTraffic(outcome, node),
      })),
    ]),
  )
}

/** Says which promises were kept; one that was not makes the process fail. */
export function judgeOutcomes({ training, search, ensemble }: Outcomes, promised: Promised): void {
  const { accuracy } = trained(training.result)
  expectThat(
    `the training reads ${100 * promised.accuracy} % of the digits`,
    accuracy >= promised.accuracy,
    accuracy.toFixed(4),
  )
  const ended = search.trials.map(({ trial }) => trial)
  expectThat(
    `${promised.trials} trials have ended, each once`,
    ended.length === promised.trials && ended.every((trial, i) => trial === i),
    `trials ${ended.join(', ')}`,
  )
  const { ensemble: together, members } = ensemble.result as unknown as Combined
  const best = {
    accuracy: Math.max(...members.map((one) => one.accuracy)),
    logLoss: Math.min(...members.map((one) => one.logLoss)),
  }
  expectThat(
    'the ensemble is better than the best single model',
    together.logLoss < best.logLoss && together.accuracy >= best.accuracy,
    `log-loss ${together.logLoss.toFixed(4)} against ${best.logLoss.toFixed(4)}, accuracy ${together.accuracy.toFixed(4)} against ${best.accuracy.toFixed(4)}`,
  )
}

function trained(result: Json): Quality {
  const { accuracy, loss } = result as { readonly accuracy: number; readonly loss: number }
  return { accuracy, logLoss: loss }
}

const trialColumns = (trials: readonly EndedTrial[]) => [
  { title: 'trial', of: ({ trial }: EndedTrial) => String(trial), align: 'right' as const },
  ...Object.keys(trials[0]?.params ?? {}).map((name) => ({
    title: name,
    of: ({ params: { [name]: value } }: EndedTrial) =>
      typeof value === 'number' ? measured(value) : JSON.stringify(value),
    align: 'right' as const,
  })),
  {
    title: 'loss',
    of: ({ value }: EndedTrial) => (value === undefined ? '' : value.toFixed(4)),
    align: 'right' as const,
  },
  { title: 'end', of: ({ state }: EndedTrial) => state },
  { title: 'node', of: ({ node }: EndedTrial) => node },
]

function sayTraffic({ traffic }: Outcome, node: string): string {
  const { sent, received } = traffic.of(node)
  return `${bytes(sent)} sent, ${bytes(received)} received`
}
