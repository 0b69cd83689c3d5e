// Trains a network on a cluster of processes, in the arrangement that is asked for, and judges what came of it.
import { fileURLToPath } from 'node:url'
import { expectThat, readArguments } from '@shoal/example-parts'
import { arrangementOf, arrangements } from './arrangements.ts'
import { launch } from './processes.ts'
import { type Claim, claimsMark } from './training.ts'

const args = readArguments({ arrangement: 'asynchronous', steps: 0, batch: 0 })
const arrangement = arrangementOf(args.arrangement)
if (!arrangement) {
  console.error(`--arrangement is one of ${Object.keys(arrangements).join(', ')}, not '${args.arrangement}'`)
  process.exit(2)
}
const { about, jobs, serving, defaults } = arrangement
const { device, threads, seed, short } = args
const { steps, batch } = defaults[short ? 'short' : 'whole']
const options = {
  arrangement: args.arrangement,
  steps: args.steps || steps,
  batch: args.batch || batch,
  seed,
  short,
  device,
  threads,
}
console.log(`${args.arrangement}: ${about}`)
const claims: Claim[] = []
await launch({
  jobs,
  program: fileURLToPath(new URL('task.ts', import.meta.url)),
  args: [JSON.stringify(options)],
  serving,
  heard(task, line) {
    if (line.startsWith(claimsMark)) claims.push(...(JSON.parse(line.slice(claimsMark.length)) as Claim[]))
    else console.log(`${task}  ${line}`)
  },
})
if (claims.length === 0) expectThat('the cluster tells how it went', false, 'nothing was heard')
for (const { claim, holds, figures } of claims) expectThat(claim, holds, figures)
