// What was studied, in Markdown: efficiencies beside what was predicted, and how little the scale of a study matters.
import { digits, markdownTable } from '../report/tables.ts'
import type { Studied } from './measure.ts'
import { predictedBytes, predictedMs } from './predictions.ts'
import { bucketBytesFor, computeMs, type Link, links, strategies, type Strategy } from './setting.ts'

/** Efficiencies of one link, by strategy and number of workers; what was predicted stands in brackets. */
export function efficiencyTable(studied: readonly Studied[], link: Link): string[] {
  const own = studied.filter(({ setting }) => setting.bytesPerSecond === links[link])
  const counts = [...new Set(own.map(({ setting }) => setting.workers))]
  const byStrategy = Map.groupBy(own, ({ setting }) => setting.strategy)
  const rows = [...byStrategy].map(([strategy, theirs]) => [
    strategies[strategy],
    ...counts.map((count) => {
      const found = theirs.find(({ setting }) => setting.workers === count)
      if (!found) return '–'
      return `${found.outcome.efficiency.toFixed(2)} (${(computeMs / predictedMs(found.setting)).toFixed(2)})`
    }),
  ])
  return [`### Over ${link}`, '', ...markdownTable(['workers', ...counts.map(String)], rows), '']
}

const kilobytes = (bytes: number): string => digits(bytes / 1000)

/** Studies of the whole model beside the same ones with a fraction of it. */
export function wholeTable(whole: readonly Studied[], scaled: readonly Studied[]): string[] {
  const rows = whole.map(({ setting, outcome }) => {
    const same = scaled.find(
      (other) =>
        other.setting.strategy === setting.strategy &&
        other.setting.workers === setting.workers &&
        other.setting.bytesPerSecond === setting.bytesPerSecond,
    )
    return [
      `${strategies[setting.strategy]}, ${linkOf(setting.bytesPerSecond)}`,
      digits(predictedMs(setting)),
      digits(outcome.stepMs),
      same ? digits(same.outcome.stepMs) : '–',
      kilobytes(predictedBytes(setting)),
      kilobytes(outcome.sentBytes),
      same ? kilobytes(same.outcome.sentBytes) : '–',
    ]
  })
  const [first] = whole
  const head = [
    '',
    'step predicted, ms',
    'whole',
    'scaled',
    'sent by a worker predicted, kB',
    'whole',
    'scaled',
  ]
  return [`### ${first?.setting.workers} workers, the whole model`, '', ...markdownTable(head, rows), '']
}

/** What the size of buckets makes of a ring. */
export function bucketTable(studied: readonly Studied[]): string[] {
  const rows = studied.map(({ setting, outcome }) => [
    `${(setting.bucketBytes ?? bucketBytesFor(setting.workers)) / 1024}`,
    digits(predictedMs(setting)),
    digits(outcome.stepMs),
    outcome.efficiency.toFixed(2),
  ])
  const [first] = studied
  const { workers = 0, strategy = 'ring', bytesPerSecond = 0 } = first?.setting ?? {}
  return [
    `### Buckets: ${strategies[strategy]}, ${workers} workers, ${linkOf(bytesPerSecond)}`,
    '',
    ...markdownTable(['KiB', 'step predicted, ms', 'measured', 'efficiency'], rows),
    '',
  ]
}

const linkOf = (bytesPerSecond: number): string =>
  Object.entries(links).find(([, rate]) => rate === bytesPerSecond)?.[0] ?? `${bytesPerSecond} B/s`

/** Numbers of workers and efficiencies of each strategy. */
export const curves = (
  studied: readonly Studied[],
  link: Link,
): ReadonlyMap<Strategy, readonly (readonly [workers: number, efficiency: number])[]> =>
  new Map(
    [
      ...Map.groupBy(
        studied.filter(({ setting }) => setting.bytesPerSecond === links[link]),
        ({ setting }) => setting.strategy,
      ),
    ].map(([strategy, own]) => [
      strategy,
      own.map(({ setting, outcome }) => [setting.workers, outcome.efficiency] as const),
    ]),
  )
