// Measures Shoal on this machine and prints tables in Markdown: `npm run bench`.
import { cpus } from 'node:os'
import { dispatchTable, graphTable } from './graphs.ts'
import { stepsTable } from './steps.ts'

const [first] = cpus()
console.log(`${first?.model ?? 'unknown CPU'}, ${cpus().length} CPUs, Node ${process.version}\n`)
for (const [title, table] of [
  ['Training steps', stepsTable],
  ['Graphs', graphTable],
  ['Dispatch', dispatchTable],
] as const)
  console.log(`### ${title}\n\n${(await table()).join('\n')}\n`)
