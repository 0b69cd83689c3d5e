// Trains a network on a cluster of processes, in the arrangement that is asked for, and judges what came of it.
import { fileURLToPath } from 'node:url'
import { expectThat } from '@shoal/example-parts'
import { readOptions } from './options.ts'
import { launch } from './processes.ts'
import { type Claim, claimsMark } from './training.ts'

const { named, arrangement } = readOptions()
const { about, jobs, serving } = arrangement
console.log(`${named}: ${about}`)
const claims: Claim[] = []
await launch({
  jobs,
  program: fileURLToPath(new URL('task.ts', import.meta.url)),
  args: process.argv.slice(2),
  serving,
  heard(task, line) {
    if (line.startsWith(claimsMark)) claims.push(...(JSON.parse(line.slice(claimsMark.length)) as Claim[]))
    else console.log(`${task}  ${line}`)
  },
})
if (claims.length === 0) expectThat('the cluster tells how it went', false, 'nothing was heard')
for (const { claim, holds, figures } of claims) expectThat(claim, holds, figures)
