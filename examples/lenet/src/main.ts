// The main job: a convolutional network learns to read handwritten digits, and is tested on some that it has not seen.
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Session } from '@shoal/core'
import {
  chooseDevices,
  expectThat,
  interruption,
  readArguments,
  readDigits,
  stopWhen,
} from '@shoal/example-parts'
import { adam, allVariables, ConfusionTable, evaluate, saveEvery, train } from '@shoal/train'
import { Checkpoints, progress } from '@shoal/train/node'
import { lenet } from './model.ts'

const args = readArguments({
  epochs: 5,
  batch: 64,
  rate: 0.001,
  threads: Math.min(4, availableParallelism()),
  out: fileURLToPath(new URL('../runs', import.meta.url)),
})
const signal = interruption()
const epochs = args.short ? 1 : args.epochs
const folder = args.short
  ? await mkdtemp(join(tmpdir(), 'lenet-'))
  : join(args.out, new Date().toISOString().replaceAll(/[:.]/g, '-'))

const digits = await readDigits({
  seed: args.seed,
  batchSize: args.batch,
  ...(args.short ? { train: 2000, test: 250 } : {}),
})
const network = lenet()
const step = adam({ learningRate: args.rate }).minimize(network.training.loss)
const variables = allVariables(step)
const best = { metric: 'test accuracy', mode: 'max' } as const
const checkpoints = new Checkpoints(folder, { keep: 1, keepBest: best, log: console.error })

await using session = new Session({ devices: await chooseDevices(args), seed: args.seed })
await session.initialize(network.training.loss, step)

/** How the network does on digits that it has not seen. */
const test = () =>
  evaluate({
    session,
    data: digits.test,
    fetches: { 'test loss': network.testing.loss, 'test accuracy': network.testing.accuracy },
    feed: (batch) => ({ ...batch }),
  })

/** What it takes each of these digits for. */
async function confusion(): Promise<ConfusionTable> {
  const table = new ConfusionTable(10)
  for await (const { images, labels } of digits.test)
    table.add(labels, await session.run(network.predictions, { images }))
  return table
}

const untrained = await test()
console.log(`${args.device}, ${args.threads} threads; Ctrl+C ends early and saves`)
const started = performance.now()
const history = await train({
  session,
  step,
  data: digits.train,
  epochs,
  fetches: { ...network.training },
  feed: (batch) => ({ ...batch }),
  validate: test,
  hooks: [progress(), saveEvery({ saver: checkpoints, variables }), stopWhen(signal)],
})
const seconds = (performance.now() - started) / 1000

const restored = await checkpoints.restore(session, variables, { which: 'best' })
const table = await confusion()
console.log(`\nWhat they are (rows), and what they are taken for (columns):\n${table.toString()}\n`)
console.log(
  `Trained ${history.steps} steps in ${seconds.toFixed(1)} s. The best network was that of step ${restored.step}.`,
)
// What seconds have taught is not worth keeping.
if (args.short) await rm(folder, { recursive: true })
else console.log(`The model is in ${relative(process.cwd(), restored.path)}`)

const [before, after] = [untrained['test loss']!, restored.metrics['test loss']!]
const bound = args.short ? 0.75 : 0.97
const long = args.short || args.epochs >= 5
expectThat('the test loss fell', after < before, `${before.toFixed(3)} to ${after.toFixed(3)}`)
if (long && !signal.aborted)
  expectThat(`test accuracy is at least ${bound}`, table.accuracy >= bound, table.accuracy.toFixed(4))
