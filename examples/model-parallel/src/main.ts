// One graph on two devices and on one: the same training, and a look at who did what.
import type { Device, TraceEvent } from '@shoal/core'
import { Session, toChromeTrace } from '@shoal/core'
import { writeFile } from '@shoal/data/node'
import { chooseDevices, expectThat, readArguments, readDigits } from '@shoal/example-parts'
import { splitNetwork } from './model.ts'

const args = readArguments({ steps: 200, hidden: 256, trace: '' })
const steps = args.short ? 30 : args.steps
// The halves of a GPU's work are its own and the cpu's; otherwise there are two devices of the kind that was asked for.
const mixed = args.device === 'webgpu'
const names = mixed ? ['webgpu:0', 'cpu:0'] : [`${args.device}:0`, `${args.device}:1`]
const network = splitNetwork(args.short ? 64 : args.hidden, names)
const { train } = await readDigits({ seed: args.seed, batchSize: 50 })

/** The loss before each step of training from the start on the given devices, and what ran in the last one. */
async function learn(
  devices: readonly Device[],
): Promise<{ losses: number[]; events: readonly TraceEvent[] }> {
  await using session = new Session({ devices, seed: args.seed })
  await session.initialize(network.loss, network.step)
  const losses: number[] = []
  let events: readonly TraceEvent[] = []
  for await (const { images, labels } of train.repeat().take(steps).iterate({ epoch: 0 })) {
    const traced = losses.length === steps - 1 ? { onTrace: (all: typeof events) => (events = all) } : {}
    const [loss] = await session.run([network.loss, network.step], { images, labels }, traced)
    losses.push(loss.item() as number)
  }
  return { losses, events }
}

const chosen = await chooseDevices(args)
const together = await learn(mixed ? chosen : [...chosen, ...(await chooseDevices(args))])
const alone = await learn(await chooseDevices(mixed ? { ...args, device: 'cpu' } : args))

const byDevice = Map.groupBy(together.events, ({ device }) => device)
for (const [device, events] of byDevice) {
  const busy = events.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const received = events.filter(({ op }) => op === 'Recv').reduce((sum, { bytes }) => sum + bytes, 0)
  console.log(`${device}: ${events.length} pieces of work, ${busy.toFixed(1)} ms, ${received} bytes received`)
}
if (args.trace !== '') {
  await writeFile(args.trace, JSON.stringify(toChromeTrace(together.events)))
  console.log(`The trace for Perfetto or chrome://tracing is in ${args.trace}`)
}

const [first, last] = [together.losses[0]!, together.losses.at(-1)!]
const apart = Math.max(...together.losses.map((loss, i) => Math.abs(loss - alone.losses[i]!)))
expectThat('both devices worked', byDevice.size === 2, [...byDevice.keys()].join(', '))
expectThat('the loss fell', last < 0.6 * first, `${first.toFixed(3)} to ${last.toFixed(3)}`)
// A GPU adds in another order, and rounds otherwise.
const tolerance = mixed ? 1e-3 : 1e-5
expectThat(
  'two devices give the answers of one',
  apart < tolerance,
  `${apart.toExponential(1)} apart at most`,
)
