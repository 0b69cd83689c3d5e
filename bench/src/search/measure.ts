// A run of searches, `npm run bench -- search`: what each sampler finds, beside chance, and what trials cost.
import { asking } from '../asked.ts'
import { machine } from '../machine.ts'
import { writeSection } from '../report/page.ts'
import { digits, markdownTable } from '../report/tables.ts'
import { quartiles } from '../statistics.ts'
import { testFunctions } from './functions.ts'
import { emptyTrialsPerSecond } from './overhead.ts'
import type { Finding } from './studies.ts'
import { contestants, findings } from './studies.ts'
import { findingOf, leastTrialsPerSecond, medianOf, searchTargets } from './targets.ts'

const overhead = 'overhead'

/**
 * Measures what is asked for by the beginnings of samplers' names. Without names it measures everything, and writes its part of the page.
 * @param small tries the harness with few trials, and writes nothing
 * @throws Error for beginnings that no sampler has
 */
export async function measureSearch(names: readonly string[], small: boolean): Promise<void> {
  const asked = asking(names, [...contestants.map(({ name }) => name), overhead])
  const found = await findings(asked, small ? { seeds: 3, most: 12 } : { seeds: 15, most: Infinity })
  const rate = asked(overhead) ? await emptyTrialsPerSecond(small ? 20 : 300) : undefined
  const lines = [machine(), '', ...targetLines(found, rate), '', ...medianLines(found)]
  console.log(lines.join('\n'))
  if (names.length === 0 && !small) writeSection('bench search', lines)
}

const value = (x: number): string => x.toPrecision(5)

function targetLines(found: readonly Finding[], rate: number | undefined): string[] {
  const rows = searchTargets.flatMap((target) => {
    const finding = findingOf(target, found)
    if (!finding) return []
    const median = medianOf(finding)
    const what = `${target.contestant}, ${target.of}, ${target.count} trials`
    return [[what, `≤ ${value(target.atMost)}`, value(median), median <= target.atMost ? 'yes' : '**no**']]
  })
  if (rate !== undefined)
    rows.push([
      'empty trials per second, in SQLite',
      `≥ ${leastTrialsPerSecond}`,
      digits(rate),
      rate >= leastTrialsPerSecond ? 'yes' : '**no**',
    ])
  return markdownTable(['median of the best', 'target', 'measured', 'met'], rows)
}

function medianLines(found: readonly Finding[]): string[] {
  const columns = [...Map.groupBy(found, ({ contestant, count }) => `${contestant}, ${count}`)]
  const rows = testFunctions.map((f) => [
    `${f.name} (${value(f.least)})`,
    ...columns.map(([, own]) => {
      const finding = own.find(({ of }) => of === f)!
      const { median, lower, upper } = quartiles(finding.bests)
      return `${value(median)} (${value(lower)} to ${value(upper)})`
    }),
  ])
  return markdownTable(['function (its least value)', ...columns.map(([name]) => name)], rows)
}
