// What a graph costs before it runs: building it and compiling it, at growing sizes, and the first run of a model.
import type { Tensor } from '@shoal/core'
import {
  add,
  gradients,
  group,
  mul,
  NDArray,
  placeholder,
  Session,
  square,
  sum,
  tanh,
  toposort,
  variable,
} from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { graphOf } from '../contenders/shoalTasks.ts'
import type { Quantity } from '../quantity.ts'
import { quartiles } from '../statistics.ts'
import { stopwatch } from '../stopwatch.ts'

const nodesPerLayer = 13
const runs = 5

/** A deep graph with its gradients and one update per layer. */
function deepGraph(layers: number) {
  const x = placeholder({ shape: ['batch', 4], name: 'x' })
  const weights = Array.from({ length: layers }, (_, i) => variable([0.1, 0.2, 0.3, 0.4], { name: `w${i}` }))
  const top = weights.reduce<Tensor>((h, w) => tanh(add(mul(h, w), x)), x)
  const loss = sum(square(top))
  const found = gradients(loss, weights)
  return { loss, step: group(...weights.map((w, i) => w.assignSub(mul(found[i]!, 0.01)))) }
}

/** Milliseconds of compiling graphs of about so many nodes: of a first run, less a second one. */
async function compiling(nodes: number): Promise<{ readonly nodes: number; readonly ms: number[] }> {
  const ms: number[] = []
  let count = 0
  for (let run = 0; run < runs; run++) {
    const { loss, step } = deepGraph(Math.round(nodes / nodesPerLayer))
    count = toposort({ fetches: [loss], targets: [step] }).length
    await using session = new Session({ devices: [cpu({ threads: 1 })] })
    await session.initialize(loss)
    const feeds = { x: [[1, 2, 3, 4]] }
    const once = (): number => {
      const elapsed = stopwatch()
      session.runSync([loss, step], feeds)
      return elapsed()
    }
    ms.push(once() - once())
  }
  return { nodes: count, ms }
}

/** Compile times, and how they grow. */
export async function compileTimes(): Promise<Quantity[]> {
  const small = await compiling(1_000)
  const large = await compiling(10_000)
  const logLinear = (nodes: number): number => nodes * Math.log(nodes)
  const share = logLinear(large.nodes) / logLinear(small.nodes)
  const base = quartiles(small.ms).median
  return [
    {
      name: 'compile 1,000 nodes',
      title: `compiling a graph of ${small.nodes} nodes with its gradients`,
      unit: 'ms',
      value: quartiles(small.ms),
    },
    {
      name: 'compile growth',
      title: `compiling ${large.nodes} nodes, of n log n from the smaller one`,
      unit: '×',
      value: quartiles(large.ms.map((ms) => ms / (base * share))),
    },
  ]
}

/** How much longer the first run of a large graph takes than a steady one. */
export async function firstRun(): Promise<Quantity[]> {
  const ratios: number[] = []
  for (let run = 0; run < runs; run++) {
    const { run: fetches, feeds: hosts } = graphOf({ kind: 'train', model: 'lenet', batch: 128 })
    await using session = new Session({ devices: [cpu({ threads: 1 })] })
    await session.initialize(...fetches)
    const feeds = hosts.map(
      ([tensor, { data, shape }]) => [tensor, new NDArray(tensor.dtype, shape, data)] as const,
    )
    const once = (): number => {
      const elapsed = stopwatch()
      session.runSync(fetches, feeds)
      return elapsed()
    }
    const first = once()
    ratios.push(first / quartiles([once(), once(), once()]).median)
  }
  return [
    {
      name: 'first run',
      title: 'first training step of LeNet at batch 128, of a steady one',
      unit: '×',
      value: quartiles(ratios),
    },
  ]
}
