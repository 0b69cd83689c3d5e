// A line through Fisher's irises by gradient descent, held against the exact answer.
import { Session } from '@shoal/core'
import { chooseDevices, expectThat, readArguments } from '@shoal/example-parts'
import { readTable } from './data.ts'
import { linearRegression } from './model.ts'

const args = readArguments({ steps: 2000, rate: 0.1 })
const table = await readTable()
const model = linearRegression(table.names.length, args.rate)
const feeds = { x: table.x, y: table.y }

await using session = new Session({ devices: await chooseDevices(args), seed: args.seed })
await session.initialize(model.loss)

const first = (await session.run(model.loss, feeds)).item() as number
for (let step = 1; step <= args.steps; step++) {
  // The loss is that before the step, since variables are read before they are assigned.
  const [loss] = await session.run([model.loss, model.step], feeds)
  // At powers of two, for that is how fast it gets slow.
  if ((step & (step - 1)) === 0)
    console.log(`step ${step}: mean squared error ${(loss.item() as number).toFixed(5)}`)
}

const [loss, weights, bias, exact] = await session.run(
  [model.loss, model.weights, model.bias, model.exact],
  feeds,
)
const found = [...weights.numbers(), ...bias.numbers()]
const names = [...table.names, 'bias']
names.forEach((name, i) =>
  console.log(
    `${name.padEnd(16)} ${found[i]!.toFixed(4).padStart(8)}  exactly ${exact.numbers()[i]!.toFixed(4)}`,
  ),
)
const furthest = Math.max(...exact.numbers().map((value, i) => Math.abs(value - found[i]!)))
expectThat(
  'the error fell',
  (loss.item() as number) < 0.05 * first,
  `${first.toFixed(4)} to ${(loss.item() as number).toFixed(4)}`,
)
expectThat('gradient descent found the least squares', furthest < 1e-3, `${furthest.toExponential(1)} apart`)
