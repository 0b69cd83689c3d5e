// What it costs to share work among threads: a chain of ops that are just large enough to be shared, with two threads and with one.
import type { Tensor } from '@shoal/core'
import { add, Session, variable, fill } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import type { Quantity } from '../quantity.ts'
import { exactly } from '../quantity.ts'
import { quartiles } from '../statistics.ts'
import { interruptions } from '../stopwatch.ts'

/** Elements of each op: few more than what the device shares among threads at all. */
const elements = 70_000
const regions = 50
const rounds = 41
const warmUps = 300
/** Longer than threads stay awake for. */
const idleMs = 0.2

interface Chain {
  /** Milliseconds of a run. */
  run(): number
  close(): Promise<void>
}

async function chain(length: number, threads: number): Promise<Chain> {
  const device = cpu({ threads })
  const session = new Session({ devices: [device], fusion: false })
  const x = variable(fill({ shape: [elements], value: 1 }), { name: 'x' })
  let last: Tensor = x.read()
  for (let i = 0; i < length; i++) last = add(last, x)
  const kept = variable(fill({ shape: [elements] }), { name: 'kept' })
  const target = kept.assign(last).node
  await session.initialize(target)
  session.runSync(target)
  await device.ready()
  return {
    run() {
      const start = performance.now()
      session.runSync(target)
      return performance.now() - start
    },
    close: () => session.close(),
  }
}

/** The cost of a region: what two threads take over half of the work of one. */
export async function regionCosts(): Promise<Quantity[]> {
  const workMs = await aloneMs()
  const [many, one] = [await overheads(regions, 0, workMs), await overheads(1, idleMs, workMs)]
  return [
    {
      name: 'region back to back',
      title: 'a parallel region, back to back',
      unit: 'µs',
      value: quartiles(many),
    },
    {
      name: 'region after idle',
      title: `a parallel region after ${idleMs} ms idle`,
      unit: 'µs',
      value: quartiles(one),
    },
    {
      name: 'longest region',
      title: 'the longest of these',
      unit: 'µs',
      value: exactly(Math.max(...many, ...one)),
    },
  ]
}

function warm(...chains: readonly Chain[]): void {
  for (let i = 0; i < warmUps; i++) for (const each of chains) each.run()
}

/** What one op takes one thread, free of what a run costs besides. */
async function aloneMs(): Promise<number> {
  const [long, short] = [await chain(regions, 1), await chain(1, 1)]
  warm(long, short)
  const each = Array.from({ length: rounds }, () => (long.run() - short.run()) / (regions - 1))
  await long.close()
  await short.close()
  return quartiles(each).median
}

/** Microseconds of each region in chains of so many, with a pause before each chain. */
async function overheads(length: number, pauseMs: number, workMs: number): Promise<number[]> {
  const [single, double] = [await chain(length, 1), await chain(length, 2)]
  warm(single, double)
  const microseconds: number[] = []
  for (let round = 0; round < 10 * rounds && microseconds.length < rounds; round++) {
    const before = interruptions()
    const alone = single.run()
    const until = performance.now() + pauseMs
    while (performance.now() < until);
    const both = double.run()
    if (interruptions() === before) microseconds.push(1000 * ((both - alone) / length + workMs / 2))
  }
  await single.close()
  await double.close()
  return microseconds
}
