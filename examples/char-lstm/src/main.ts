// Learns to write like Shakespeare, one character at a time, and shows what it wrote.
import { Session } from '@shoal/core'
import { chooseDevices, expectThat, readArguments } from '@shoal/example-parts'
import { readStrips } from './data.ts'
import { writer } from './model.ts'

const args = readArguments({ steps: 1500, batch: 32, units: 128, length: 64, temperature: 0.7 })
const [steps, units, length] = args.short ? [40, 48, 16] : [args.steps, args.units, args.length]
const text = await readStrips({
  seed: args.seed,
  batchSize: args.batch,
  length,
  ...(args.short ? { characters: 100_000 } : {}),
})
const model = writer({
  alphabet: text.alphabet.length,
  units,
  length,
  ...(args.short ? { sampleLength: 40, learningRate: 0.015 } : { sampleLength: 500 }),
})

await using session = new Session({ devices: await chooseDevices(args), seed: args.seed })
await session.initialize(model.loss, model.step)

/** The mean loss on text that it has not read. */
async function evaluate(): Promise<number> {
  const losses: number[] = []
  for await (const batch of text.test.take(args.short ? 5 : 20))
    losses.push((await session.run(model.loss, batch)).item() as number)
  return losses.reduce((a, b) => a + b) / losses.length
}

/** Something that it writes after a line break. */
async function write(): Promise<string> {
  const first = Int32Array.of(text.alphabet.indexOf('\n'))
  const written = await session.run(model.sample, { first, temperature: args.temperature })
  return written
    .numbers()
    .map((character) => text.alphabet[character])
    .join('')
}

const before = await evaluate()
console.log(`before: loss ${before.toFixed(3)}`)
const every = Math.ceil(steps / 10)
let [step, sum, started] = [0, 0, performance.now()]
for await (const batch of text.train.repeat().take(steps)) {
  const [loss] = await session.run([model.loss, model.step], batch)
  sum += loss.item() as number
  if (++step % every > 0) continue
  console.log(
    `step ${step}: loss ${(sum / every).toFixed(3)}, ${((performance.now() - started) / every).toFixed(1)} ms a step`,
  )
  ;[sum, started] = [0, performance.now()]
}
const after = await evaluate()
console.log(`It writes:\n${await write()}\n`)

// Who knows how frequent each character is, and nothing else, has a loss of 3.3; who knows the last two characters, about 2.
const bound = args.short ? 3 : 2
expectThat(
  `the loss on unread text is below ${bound}`,
  after < bound,
  `${before.toFixed(3)} to ${after.toFixed(3)}`,
)
