// A run with clocks: works beside the peers, then whole programs, printed as they come.
import { asking } from './asked.ts'
import type { Comparison } from './compare.ts'
import { Comparator } from './compare.ts'
import { contenders } from './contenders/all.ts'
import { countAll } from './counts.ts'
import { machine } from './machine.ts'
import { measurements } from './quantities/all.ts'
import type { Quantity } from './quantity.ts'
import { sections, writePage } from './report/page.ts'
import { comparisonTable, quantityTable } from './report/tables.ts'
import { targets } from './targets.ts'
import { works } from './work.ts'

/**
 * Measures what is asked for by the beginnings of names. Without names it measures everything, and writes the page.
 * @throws Error for beginnings that no work and no measurement has
 */
export async function measure(names: readonly string[]): Promise<void> {
  const asked = asking(names, [...works.map(({ name }) => name), ...measurements.keys()])
  const everybody = await contenders()
  const comparator = new Comparator(everybody)
  const comparisons: Comparison[] = []
  for (const work of works.filter(({ name }) => asked(name))) {
    const comparison = await comparator.compare(work)
    comparisons.push(comparison)
    console.log(`${comparisonTable([comparison]).join('\n')}\n`)
    for (const [name, fault] of comparison.faults) {
      console.error(`${name}, ${work.title}: the answer ${fault}`)
      process.exitCode = 1
    }
  }
  const quantities: Quantity[] = []
  for (const [name, find] of measurements) {
    if (!asked(name)) continue
    const found = await find()
    quantities.push(...found)
    if (found.length > 0) console.log(`${quantityTable(found).join('\n')}\n`)
  }
  const complete = names.length === 0
  const report = {
    on: machine(),
    results: { comparisons, quantities, ...(complete && { counts: await countAll() }) },
    contenders: everybody,
    targets,
    section: 'bench',
    complete,
  } as const
  console.log(sections(report).join('\n'))
  if (complete) writePage(report)
  for (const contender of everybody) await contender.close?.()
}
