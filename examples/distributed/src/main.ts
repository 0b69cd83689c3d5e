// Trains a network for handwritten digits on a cluster of processes: two parameter servers and three workers.
import { fileURLToPath } from 'node:url'
import { expectThat, readArguments } from '@shoal/example-parts'
import { launch } from './processes.ts'
import { type Outcome, outcomeMark, type TrainingOptions } from './training.ts'

const args = readArguments({ steps: 900, batch: 64, rate: 0.05, ps: 2, workers: 3 })
const { device, threads, seed, batch, rate } = args
const options: TrainingOptions = args.short
  ? { steps: 240, batch: 32, rate, seed, train: 3000, test: 500 }
  : { steps: args.steps, batch, rate, seed, train: 9000, test: 1000 }

let outcome: Outcome | undefined
await launch({
  jobs: { ps: args.ps, worker: args.workers },
  program: fileURLToPath(new URL('task.ts', import.meta.url)),
  args: [JSON.stringify({ ...options, device, threads })],
  serving: ['ps'],
  heard(task, line) {
    if (line.startsWith(outcomeMark)) outcome = JSON.parse(line.slice(outcomeMark.length)) as Outcome
    else console.log(`${task}  ${line}`)
  },
})
const { steps = 0, accuracy = 0 } = outcome ?? {}
expectThat(
  'All steps were counted',
  steps >= options.steps && steps <= options.steps + 2 * args.workers,
  `${steps} of ${options.steps}`,
)
const least = args.short ? 0.7 : 0.95
expectThat(`It reads ${100 * least} % of new digits`, accuracy >= least, `${(100 * accuracy).toFixed(1)} %`)
