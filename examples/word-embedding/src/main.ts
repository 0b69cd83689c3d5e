// Learns a vector for each word of Shakespeare from the company that it keeps, and shows which words are near each other.
import { Session } from '@shoal/core'
import { chooseDevices, expectThat, readArguments } from '@shoal/example-parts'
import { readCorpus } from './data.ts'
import { skipGram } from './model.ts'

const args = readArguments({ steps: 4000, batch: 1024, width: 64, window: 4, negatives: 5 })
const [steps, batchSize] = args.short ? [160, 512] : [args.steps, args.batch]
const corpus = await readCorpus(args.short ? 50_000 : Infinity)
console.log(`${corpus.words.length} words, ${corpus.vocabulary.length} different ones`)
const { width, window, negatives } = args
const model = skipGram(corpus, {
  width,
  window,
  negatives,
  batchSize,
  ...(args.short && { width: 32, learningRate: 0.04 }),
})

await using session = new Session({ devices: await chooseDevices(args), seed: args.seed })
await session.initialize(model.loss, model.step)

const every = Math.ceil(steps / 10)
let [first, sum, started] = [0, 0, performance.now()]
for (let step = 1; step <= steps; step++) {
  const [loss] = await session.run([model.loss, model.step])
  sum += loss.item() as number
  if (step % every > 0) continue
  const ms = (performance.now() - started) / every
  console.log(`step ${step}: loss ${(sum / every).toFixed(4)}, ${ms.toFixed(2)} ms a step`)
  if (step === every) first = sum / every
  if (step + every <= steps) [sum, started] = [0, performance.now()]
}
const last = sum / every

const asked = ['crown', 'queen', 'love', 'death', 'brother', 'night', 'sword', 'heaven']
const queries = asked.map((word) => corpus.vocabulary.indexOf(word)).filter((word) => word >= 0)
const nearest = await session.run(model.nearest, { queries: Int32Array.from(queries) })
queries.forEach((query, row) => {
  const words = Array.from({ length: 7 }, (_, i) => corpus.vocabulary[nearest.at(row, i + 1) as number])
  console.log(`${corpus.vocabulary[query]!.padEnd(8)} ${words.join(', ')}`)
})

const ignorance = Math.LN2 * (1 + negatives)
expectThat('the loss fell', last < 0.95 * first, `${first.toFixed(3)} to ${last.toFixed(3)}`)
expectThat(
  'neighbours are told from strangers',
  last < 0.65 * ignorance,
  `${last.toFixed(3)} of ${ignorance.toFixed(3)}`,
)
expectThat(
  'each word is nearest to itself',
  queries.every((query, row) => nearest.at(row, 0) === query),
  `${queries.length} words asked`,
)
