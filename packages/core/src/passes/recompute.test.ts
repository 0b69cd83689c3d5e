import { describe, expect, it } from 'vitest'
import { gradients } from '../autodiff/gradients.ts'
import { isPure } from '../graph/effects.ts'
import type { Graph, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { verify } from '../graph/verify.ts'
import { inspectProgram } from '../inspect/program.ts'
import {
  add,
  broadcastTo,
  constant,
  gelu,
  matmul,
  mul,
  placeholder,
  randomUniform,
  sigmoid,
  square,
  sum,
  tanh,
  variable,
} from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { standardPasses } from './index.ts'
import { recompute } from './recompute.ts'
import { peakBytes, schedule } from './schedule.ts'

const peakOf = (graph: Graph): number => peakBytes(schedule(graph), graph.fetches)
const x = placeholder({ shape: [64, 16], name: 'x' })
const feeds = {
  x: Array.from({ length: 64 }, (_, i) => Array.from({ length: 16 }, (_, j) => Math.sin(i + 3 * j))),
}

/** Layers whose gradients need much of what is cheap to compute. */
function network() {
  const weights = Array.from({ length: 4 }, (_, layer) =>
    variable(
      constant(
        Array.from({ length: 16 }, (_, i) => Array.from({ length: 16 }, (_, j) => Math.cos(i * j + layer))),
      ),
      { name: `w${layer}` },
    ),
  )
  const top = weights.reduce<Tensor>((h, w) => {
    const product = matmul(h, w)
    return add(gelu(product), mul(tanh(product), sigmoid(h)))
  }, x)
  const loss = sum(square(top))
  const slopes = gradients(loss, weights)
  return { loss, weights, step: weights.map((w, i) => w.assignSub(mul(slopes[i]!, 1e-4)).node), slopes }
}

describe('recompute', () => {
  const graphOf = (): Graph => {
    const { loss, slopes } = network()
    return standardPasses.run({ fetches: [loss, ...slopes.map((t) => t!)], targets: [] })
  }
  const copies = (graph: Graph): string[] =>
    toposort(graph)
      .filter(({ name }) => name.endsWith('/again'))
      .map(({ op }) => op.name)

  it('lowers the peak, first by what is cheap', () => {
    const graph = graphOf()
    const less = recompute({ maxBytes: peakOf(graph) - 1 }).run(graph)
    verify(less)
    expect(peakOf(less)).toBeLessThan(peakOf(graph))
    expect(copies(less).length).toBeGreaterThan(0)
    expect(copies(less)).not.toContain('MatMul')
  })
  it('repeats products where nothing else is left', () => {
    const graph = graphOf()
    const [least, cheap] = [recompute({ maxBytes: 0 }).run(graph), peakOf(graph) / 2]
    expect(peakOf(least)).toBeLessThan(cheap)
    expect(copies(least)).toContain('MatMul')
  })
  it('leaves graphs below the limit alone, and has nothing to do the second time', () => {
    const graph = graphOf()
    expect(recompute({ maxBytes: peakOf(graph) }).run(graph)).toBe(graph)
    const pass = recompute({ maxBytes: peakOf(graph) - 1 })
    const once = pass.run(graph)
    expect(pass.run(once)).toBe(once)
  })
  it('never draws again', () => {
    const noise = randomUniform([64, 16])
    const early = sum(tanh(noise))
    const wide = sum(square(broadcastTo(early, { shape: [64, 64] })))
    const graph = standardPasses.run({ fetches: [sum(mul(noise, wide))], targets: [] })
    const least = recompute({ maxBytes: 0 }).run(graph)
    const drawn = (g: Graph): number => toposort(g).filter((node) => !isPure(node)).length
    expect(copies(least).length).toBeGreaterThan(0)
    expect([drawn(least), drawn(graph)]).toEqual([1, 1])
  })
})

describe('a session with maxActivationBytes', () => {
  it('holds fewer bytes, and computes the same to the bit', async () => {
    const train = async (maxActivationBytes?: number) => {
      const { loss, step } = network()
      await using session = new Session(maxActivationBytes === undefined ? {} : { maxActivationBytes })
      await session.initialize(step)
      const [program] = await session.programs([loss, step], feeds)
      const losses: number[] = []
      for (let i = 0; i < 3; i++) losses.push((await session.run([loss, step], feeds))[0].number())
      return { slots: inspectProgram(program!).memory.slots, losses }
    }
    const plain = await train()
    const limited = await train(0)
    expect(limited.slots).toBeLessThan(0.95 * plain.slots)
    expect(limited.losses).toEqual(plain.losses)
    expect(await train(plain.slots)).toEqual(plain)
  })
})
