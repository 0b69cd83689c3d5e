// What a full run writes: the generated part of docs/performance.md, and its charts.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Contender } from '../contender.ts'
import { families } from '../families.ts'
import type { Family } from '../families.ts'
import { machine } from '../machine.ts'
import type { Comparison } from '../compare.ts'
import type { Quartiles } from '../statistics.ts'
import { ratio, summary } from '../statistics.ts'
import type { Results } from '../targets.ts'
import { targets } from '../targets.ts'
import type { Chart } from './charts.ts'
import { svg } from './charts.ts'
import { comparisonTable, countTable, quantityTable, targetTable } from './tables.ts'

const docs = new URL('../../../docs/', import.meta.url)
const [begin, end] = ['<!-- bench: begin -->', '<!-- bench: end -->']

const countsText =
  'What a run does whatever the clock says: kernels, the bytes that each of them reads and makes, and the bytes of memory besides variables, as `inspectProgram` tells them; bodies of loops count once. `npm run bench -- --short` fails when one of them grows.'

/** The tables as Markdown. */
export function sections(results: Results, contenders: readonly Contender[], linked: boolean): string[] {
  const versions = [...new Set(contenders.map(({ version }) => version))]
  const { comparisons, quantities, counts } = results
  return [
    `${machine()} ${versions.join(', ')}.`,
    '',
    '### Targets',
    '',
    ...targetTable(linked ? targets : targets.filter(({ read }) => read(results).length > 0), results),
    '',
    ...families.flatMap((family) => {
      const own = comparisons.filter(({ work }) => family.holds(work))
      if (own.length === 0) return []
      const picture = linked && family.chart ? [`![${family.title}](charts/${family.name}.svg)`, ''] : []
      return [`### ${family.title}`, '', ...comparisonTable(own), '', ...picture]
    }),
    ...(quantities.length > 0 ? ['### Whole programs', '', ...quantityTable(quantities), ''] : []),
    ...(counts ? ['### Counts', '', countsText, '', ...countTable(counts), ''] : []),
  ]
}

/** Writes the page and its charts. @throws Error when the page has lost its markers. */
export function writePage(results: Results, contenders: readonly Contender[]): void {
  const page = new URL('performance.md', docs)
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from)
    throw new Error(`docs/performance.md must have ${begin} and ${end} around its tables`)
  const body = sections(results, contenders, true).join('\n')
  writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${body}\n${text.slice(to)}`)
  mkdirSync(new URL('charts/', docs), { recursive: true })
  for (const family of families) {
    const chart = chartOf(family, results.comparisons)
    if (chart) writeFileSync(new URL(`charts/${family.name}.svg`, docs), svg(chart))
  }
}

/** Yardsticks of Shoal itself say nothing in a chart. */
const drawn = (name: string): boolean => !/^(shoal, (plain|matmul|strict)|multiply\+add peak)/.test(name)

function chartOf(family: Family, comparisons: readonly Comparison[]): Chart | undefined {
  const own = comparisons.filter(({ work, samples }) => family.holds(work) && samples.has('shoal'))
  if (!family.chart || own.length === 0) return undefined
  const byFlops = family.chart === 'GFLOP/s'
  return {
    title: family.title,
    axis: byFlops ? 'GFLOP/s, more is better' : 'speed, Shoal = 1, more is better',
    groups: own.map(({ work, samples }) => ({
      label: work.title,
      bars: [...samples]
        .filter(([name]) => drawn(name))
        .map(([name, times]) => ({
          name,
          value: byFlops
            ? inverted(summary(times), work.flops / 1e6)
            : (ratio(samples.get('shoal')!, times) ?? { median: 0, lower: 0, upper: 0 }),
        })),
    })),
  }
}

const inverted = ({ median, lower, upper }: Quartiles, by: number): Quartiles => ({
  median: by / median,
  lower: by / upper,
  upper: by / lower,
})
