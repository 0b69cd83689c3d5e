// Trains a perceptron on handwritten digits.
import { Session } from '@shoal/core'
import {
  chooseDevices,
  expectThat,
  interruption,
  readArguments,
  readDigits,
  stopWhen,
} from '@shoal/example-parts'
import { evaluate, logging, momentum, train } from '@shoal/train'
import { mlp } from './model.ts'

const args = readArguments({ epochs: 5, batch: 64, rate: 0.05 })
const digits = await readDigits({
  seed: args.seed,
  batchSize: args.batch,
  ...(args.short ? { train: 1280, test: 500 } : {}),
})
const network = mlp()
const step = momentum({ learningRate: args.rate, momentum: 0.9 }).minimize(network.loss)

await using session = new Session({ devices: await chooseDevices(args), seed: args.seed })
await session.initialize(network.loss, step)

const test = () =>
  evaluate({
    session,
    data: digits.test,
    fetches: { 'test loss': network.loss, 'test accuracy': network.accuracy },
    feed: (batch) => ({ ...batch }),
  })
const before = await test()
const { stopped } = await train({
  session,
  step,
  data: digits.train,
  epochs: args.short ? 1 : args.epochs,
  fetches: { loss: network.loss, accuracy: network.accuracy },
  feed: (batch) => ({ ...batch }),
  validate: test,
  hooks: [logging(), stopWhen(interruption())],
})
const after = await test()

const [loss, accuracy] = [after['test loss']!, after['test accuracy']!]
const bound = args.short ? 0.75 : 0.95
expectThat(
  'the test loss fell',
  loss < before['test loss']!,
  `${before['test loss']!.toFixed(3)} to ${loss.toFixed(3)}`,
)
if (stopped === undefined)
  expectThat(`test accuracy is at least ${bound}`, accuracy >= bound, accuracy.toFixed(4))
