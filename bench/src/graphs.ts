// What a graph costs before it runs: building, differentiating, compiling; and what each op costs when nothing is fused.
import type { Tensor } from '@shoal/core'
import {
  add,
  gradients,
  group,
  mul,
  placeholder,
  reference,
  Session,
  square,
  sum,
  tanh,
  toposort,
  variable,
} from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { format, once, quartiles, time } from './measure.ts'

/** A deep graph with its gradients and one update per layer; about 13 nodes a layer. */
function deepGraph(layers: number) {
  const x = placeholder({ shape: ['batch', 4], name: 'x' })
  const weights = Array.from({ length: layers }, (_, i) => variable([0.1, 0.2, 0.3, 0.4], { name: `w${i}` }))
  const top = weights.reduce<Tensor>((h, w) => tanh(add(mul(h, w), x)), x)
  const loss = sum(square(top))
  const found = gradients(loss, weights)
  return { loss, step: group(...weights.map((w, i) => w.assignSub(mul(found[i]!, 0.01)))) }
}

/** Build, compile and first run at growing sizes. */
export async function graphTable(): Promise<string[]> {
  const rows: string[] = []
  for (const nodes of [100, 1_000, 10_000]) {
    const layers = Math.round(nodes / 13)
    const samples = { build: [] as number[], first: [] as number[], again: [] as number[] }
    let count = 0
    for (let run = 0; run < 5; run++) {
      let graph: ReturnType<typeof deepGraph> | undefined
      samples.build.push(once(() => (graph = deepGraph(layers))))
      const { loss, step } = graph!
      count = toposort({ fetches: [loss], targets: [step] }).length
      await using session = new Session({ devices: [reference()] })
      await session.initialize(loss)
      const feeds = { x: [[1, 2, 3, 4]] }
      samples.first.push(once(() => session.runSync([loss, step], feeds)))
      samples.again.push(once(() => session.runSync([loss, step], feeds)))
    }
    const told = [samples.build, samples.first, samples.again].map((s) => format(quartiles(s), 1))
    rows.push(`| ${count} | ${told.join(' | ')} |`)
  }
  return [
    '| nodes | build and differentiate, ms | compile and first run, ms | second run, ms |',
    '| --- | --- | --- | --- |',
    ...rows,
  ]
}

/** A chain of 1,000 scalar additions, each a kernel of its own. */
export async function dispatchTable(): Promise<string[]> {
  const length = 1_000
  const x = placeholder({ shape: [], name: 'x' })
  let chain: Tensor = x
  for (let i = 0; i < length; i++) chain = add(chain, x)
  await using session = new Session({ devices: [cpu({ threads: 1 })], fusion: false })
  const feeds = [[x, 1]] as const
  await session.run(chain, feeds)
  const { median, lower, upper } = time(() => session.runSync(chain, feeds), { runs: 51, warmups: 200 })
  const each = (ms: number): number => (ms * 1e6) / length
  return [
    '| chain of 1,000 scalar adds, unfused | |',
    '| --- | --- |',
    `| ns per op | ${format({ median: each(median), lower: each(lower), upper: each(upper) }, 1)} |`,
  ]
}
