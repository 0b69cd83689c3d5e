// Measures Shoal beside its peers:
//
//   npm run bench                all of it: writes the tables and charts of docs/performance.md
//   npm run bench -- matmul      the works whose names begin so, printed only
//   npm run bench -- --short     counts of kernels and bytes instead of times, held against bench/counts.json
import type { Comparison } from './compare.ts'
import { Comparator } from './compare.ts'
import { contenders } from './contenders/all.ts'
import { sections, writePage } from './report/page.ts'
import { comparisonTable } from './report/tables.ts'
import { works } from './work.ts'

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))

const everybody = await contenders()
const comparator = new Comparator(everybody)
const comparisons: Comparison[] = []
for (const work of works) {
  if (names.length > 0 && !names.some((name) => work.name.startsWith(name))) continue
  const comparison = await comparator.compare(work)
  comparisons.push(comparison)
  console.log(`${comparisonTable([comparison]).join('\n')}\n`)
  for (const [name, fault] of comparison.faults) console.error(`${name}, ${work.title}: the answer ${fault}`)
  if (comparison.faults.size > 0) process.exitCode = 1
}
for (const contender of everybody) await contender.close?.()
if (names.length === 0) writePage({ comparisons, quantities: [] }, everybody)
else console.log(sections({ comparisons, quantities: [] }, everybody, false).join('\n'))
