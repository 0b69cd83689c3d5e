// What a full run writes: the generated part of docs/performance.md, and its charts.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Contender } from '../contender.ts'
import { families } from '../families.ts'
import type { Family } from '../families.ts'
import type { Comparison } from '../compare.ts'
import type { Quartiles } from '../statistics.ts'
import { ratio, summary } from '../statistics.ts'
import type { Results, Target } from '../targets.ts'
import type { Chart } from './charts.ts'
import { writeChart } from './charts.ts'
import { comparisonTable, countTable, gpuCountTable, quantityTable, targetTable } from './tables.ts'

const docs = new URL('../../../docs/', import.meta.url)

const countsText =
  'What a run does whatever the clock says: kernels, the bytes that each of them reads and makes, and the bytes of memory besides variables, as `inspectProgram` tells them; bodies of loops count once. `npm run bench -- --short` fails when one of them grows.'

const gpuCountsText =
  'What one run after the first asks of the GPU, as `device.counts()` tells it: submissions, dispatches, the bytes that come from the host and go back; then the shaders that were compiled until then and the bytes of all buffers. Models have batches of 2. `npm run bench -- --short` fails when one of them grows.'

/** What a run has to say. */
export interface Report {
  /** The machine, in a sentence or two. */
  readonly on: string
  readonly results: Results
  readonly contenders: readonly Contender[]
  readonly targets: readonly Target[]
  /** Its part of docs/performance.md, between the comments `<!-- section: begin -->` and `<!-- section: end -->`. */
  readonly section: 'bench' | 'bench webgpu'
  /** Everything was measured: targets without a number are shown, too. */
  readonly complete: boolean
}

/** Charts are drawn of this section. */
const drawnSection = 'bench'

/** The tables as Markdown. */
export function sections({ on, results, contenders, targets, section, complete }: Report): string[] {
  const versions = [...new Set(contenders.map(({ version }) => version))]
  const { comparisons, quantities, counts, gpuCounts } = results
  const shown = complete ? targets : targets.filter(({ read }) => read(results).length > 0)
  const linked = complete && section === drawnSection
  return [
    versions.length > 0 ? `${on} ${versions.join(', ')}.` : on,
    '',
    '### Targets',
    '',
    ...targetTable(shown, results),
    '',
    ...families.flatMap((family) => {
      const own = comparisons.filter(({ work }) => family.holds(work))
      if (own.length === 0) return []
      const picture = linked && family.chart ? [`![${family.title}](charts/${family.name}.svg)`, ''] : []
      return [`### ${family.title}`, '', ...comparisonTable(own), '', ...picture]
    }),
    ...(quantities.length > 0 ? ['### Whole programs', '', ...quantityTable(quantities), ''] : []),
    ...(counts ? ['### Counts', '', countsText, '', ...countTable(counts), ''] : []),
    ...(gpuCounts ? ['### Counts', '', gpuCountsText, '', ...gpuCountTable(gpuCounts), ''] : []),
  ]
}

/** Writes its part of the page, and its charts. @throws Error when the page has lost its markers. */
export function writePage(report: Report): void {
  writeSection(report.section, sections(report))
  if (report.section !== drawnSection) return
  for (const family of families) {
    const chart = chartOf(family, report.results.comparisons)
    if (chart) writeChart(family.name, chart)
  }
}

/**
 * Replaces what stands between the comments `<!-- section: begin -->` and `<!-- section: end -->` of docs/performance.md.
 * @throws Error when the page has lost its markers.
 */
export function writeSection(section: string, lines: readonly string[]): void {
  const [begin, end] = [`<!-- ${section}: begin -->`, `<!-- ${section}: end -->`]
  const page = new URL('performance.md', docs)
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from)
    throw new Error(`docs/performance.md must have ${begin} and ${end} around its tables`)
  writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${lines.join('\n')}\n${text.slice(to)}`)
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
