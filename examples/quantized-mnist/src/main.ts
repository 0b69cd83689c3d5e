// Trains a network on handwritten digits, makes smaller ones of it, and compares them on digits that none has seen.
import { Session, sparseSoftmaxCrossEntropy, type Tensor } from '@shoal/core'
import {
  chooseDevices,
  expectThat,
  interruption,
  readArguments,
  readDigits,
  stopWhen,
} from '@shoal/example-parts'
import { quantize, storedBytes, storeFloat16 } from '@shoal/quantize'
import { adam, evaluate, logging, train } from '@shoal/train'
import { accuracyOf, classes, network } from './model.ts'

const args = readArguments({ epochs: 3, batch: 64, rate: 0.001 })
const digits = await readDigits({
  seed: args.seed,
  batchSize: args.batch,
  ...(args.short ? { train: 2048, test: 500 } : {}),
})
const float32 = network()
const loss = sparseSoftmaxCrossEntropy(float32, classes, { reduction: 'mean' })
const step = adam({ learningRate: args.rate }).minimize(loss)

await using session = new Session({ devices: await chooseDevices(args), seed: args.seed })
await session.initialize(step)
await train({
  session,
  step,
  data: digits.train,
  epochs: args.short ? 1 : args.epochs,
  fetches: { loss, accuracy: accuracyOf(float32) },
  feed: (batch) => ({ ...batch }),
  hooks: [logging(), stopWhen(interruption())],
})

// Some of the images that it learned from show which values flow through it.
const seen = await digits.train.take(Math.ceil(500 / args.batch)).toArray()
const calibration = seen.map(({ images }) => ({ images }))
const models: Readonly<Record<string, Tensor>> = {
  float32,
  int8: await quantize(float32, { session, calibration }),
  float16: await storeFloat16(float32, { session }),
}

const fetches = Object.fromEntries(Object.entries(models).map(([name, m]) => [name, accuracyOf(m)]))
const accuracy = await evaluate({ session, data: digits.test, fetches, feed: (batch) => ({ ...batch }) })

/** The best time of some runs, in milliseconds: others may want the machine too. */
async function bestTime(model: Tensor): Promise<number> {
  const [batch] = await digits.test.take(1).toArray()
  const feeds = { images: batch!.images }
  let best = Infinity
  for (let run = 0; run < (args.short ? 3 : 30); run++) {
    const started = performance.now()
    await session.run(model, feeds)
    best = Math.min(best, performance.now() - started)
  }
  return best
}

console.log('\nmodel      accuracy      stored      250 digits in')
for (const [name, model] of Object.entries(models)) {
  const [right, kilobytes] = [accuracy[name]!, storedBytes(model) / 1000]
  const milliseconds = await bestTime(model)
  console.log(
    `${name.padEnd(10)} ${(100 * right).toFixed(2).padStart(6)} %  ${kilobytes.toFixed(1).padStart(7)} kB  ${milliseconds.toFixed(2).padStart(9)} ms`,
  )
}
console.log()

const lost = accuracy['float32']! - accuracy['int8']!
expectThat('int8 loses at most 1 %', lost <= 0.01, `${(100 * lost).toFixed(2)} %`)
const part = storedBytes(models['int8']!) / storedBytes(float32)
expectThat('its weights take about a quarter of the memory', part < 0.27, `${(100 * part).toFixed(1)} %`)
const difference = Math.abs(accuracy['float32']! - accuracy['float16']!)
expectThat('float16 changes next to nothing', difference <= 0.004, `${(100 * difference).toFixed(2)} %`)
