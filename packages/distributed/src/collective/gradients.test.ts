import type { Feeds, HostFunction, NDArray, Tensor, TraceEvent } from '@shoal/core'
import {
  add,
  gather,
  hostFunction,
  IndexedSlices,
  matmul,
  mean,
  ndarray,
  placeholder,
  Session,
  square,
  sub,
  tanh,
  toposort,
  variable,
  zeros,
} from '@shoal/core'
import type { GradientPair } from '@shoal/train'
import { adam, lossGradients, momentum } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import type { GradientExchangeOptions, Group } from './index.ts'
import { allReduceGradients, Generations, localMeshes, Membership } from './index.ts'

const deadlineMs = 20_000
const table = (rows: number, columns: number, seed: number): number[][] =>
  Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => Math.sin(1 + seed + 7 * i + 3 * j) / Math.sqrt(rows)),
  )

/** A network with an embedding, whose gradients are rows, and layers whose gradients are whole. */
function network() {
  const words = placeholder({ shape: ['batch'], dtype: 'int32', name: 'words' })
  const y = placeholder({ shape: ['batch', 2], name: 'y' })
  const count = placeholder({ shape: [], name: 'count' })
  const layers = [table(6, 5, 1), table(5, 8, 2), table(8, 2, 3)].map((values, i) =>
    variable(ndarray(values), { name: `layer${i}` }),
  )
  const [embedding, w1, w2] = layers
  const b = variable(ndarray([0, 0]), { name: 'b' })
  const hidden = tanh(matmul(gather(embedding!, words), w1!))
  const loss = mean(square(sub(add(matmul(hidden, w2!), b), y)))
  return { loss, count, variables: [...layers, b] }
}

const batchSize = 8
/** The examples of step `step`, those from `start` to `end` of its batch. */
function examples(step: number, start = 0, end = batchSize): Feeds {
  const rows = Array.from({ length: end - start }, (_, i) => step * batchSize + start + i)
  return {
    words: ndarray(
      rows.map((i) => (i * i) % 6),
      'int32',
    ),
    y: ndarray(rows.map((i) => [Math.sin(i), Math.cos(i)])),
    count: rows.length,
  }
}

async function valuesOf(
  session: Session,
  variables: ReturnType<typeof network>['variables'],
): Promise<readonly NDArray[]> {
  return session.run(variables)
}

const steps = 50
async function alone(
  optimizer: () => ReturnType<typeof adam> | ReturnType<typeof momentum>,
): Promise<readonly NDArray[]> {
  await using session = new Session()
  const { loss, variables } = network()
  const train = optimizer().minimize(loss)
  await session.initialize(train)
  for (let step = 0; step < steps; step++) {
    const { words, y } = examples(step) as Record<string, NDArray>
    await session.run(train, { words: words!, y: y! })
  }
  return await valuesOf(session, variables)
}

async function together(
  shares: readonly number[],
  optimizer: () => ReturnType<typeof adam> | ReturnType<typeof momentum>,
  options: Partial<GradientExchangeOptions> = {},
): Promise<readonly (readonly NDArray[])[]> {
  const ids = shares.map((_, i) => `w${i}`)
  const groups = (await localMeshes(ids)).map((mesh) =>
    new Generations(mesh).enter({ number: 1, members: ids }),
  )
  const starts = shares.map((_, i) => shares.slice(0, i).reduce((a, b) => a + b, 0))
  return Promise.all(
    groups.map(async (group, i) => {
      await using session = new Session()
      const { loss, count, variables } = network()
      const pairs = allReduceGradients(group, lossGradients(loss), {
        deadlineMs,
        weight: count,
        bucketBytes: 100,
        ...options,
      })
      const train = optimizer().apply(pairs)
      await session.initialize(train)
      for (let step = 0; step < steps; step++)
        await session.run(train, examples(step, starts[i], starts[i]! + shares[i]!))
      return await valuesOf(session, variables)
    }),
  )
}

const distance = (a: NDArray, b: NDArray): number => {
  const [x, y] = [a.numbers(), b.numbers()]
  const largest = Math.max(...y.map(Math.abs))
  return Math.max(...x.map((v, i) => Math.abs(v - y[i]!))) / largest
}

const optimizers = {
  momentum: () => momentum({ learningRate: 0.05, momentum: 0.9 }),
  adam: () => adam({ learningRate: 0.01 }),
}

describe('training with gradients of several members', () => {
  it.each([[[8]], [[4, 4]], [[2, 2, 2, 2]], [[1, 5, 2]], [[7, 1]]])(
    'with shares %j ends where one machine with the whole batch does',
    async (shares) => {
      for (const optimizer of Object.values(optimizers)) {
        const expected = await alone(optimizer)
        const members = await together(shares, optimizer)
        for (const values of members)
          values.forEach((value, i) => {
            expect(Buffer.compare(Buffer.from(value.bytes), Buffer.from(members[0]![i]!.bytes))).toBe(0)
            expect(distance(value, expected[i]!)).toBeLessThan(1e-5)
          })
      }
    },
  )

  it('in 16 bits, or with the largest elements alone, stays together and near', async () => {
    const expected = await alone(optimizers.momentum)
    for (const [options, most] of [
      [{ wire: 'bfloat16' }, 0.005],
      [{ compress: { topK: 0.5 } }, 0.05],
    ] as const) {
      const [first, second] = await together([4, 4], optimizers.momentum, options)
      expect(second!.map(({ data }) => data)).toEqual(first!.map(({ data }) => data))
      const length = (lists: readonly number[][]): number => Math.hypot(...lists.flat())
      const errors = first!.map((value, i) =>
        value.numbers().map((x, k) => x - (expected[i]!.data[k] as number)),
      )
      const relative = length(errors) / length(expected.map((value) => value.numbers()))
      expect(relative).toBeGreaterThan(0)
      expect(relative).toBeLessThan(most)
    }
  })
})

describe('the exchange within a run', () => {
  const groupOf = async (n: number): Promise<readonly Group[]> => {
    const ids = Array.from({ length: n }, (_, i) => `w${i}`)
    return (await localMeshes(ids)).map((mesh) => new Generations(mesh).enter({ number: 1, members: ids }))
  }

  it('begins with the last layers, before the first ones have their gradients', async () => {
    const [group] = await groupOf(1)
    const layers = Array.from({ length: 5 }, (_, i) => variable(ndarray(table(16, 16, i)), { name: `w${i}` }))
    const x = placeholder({ shape: [32, 16], name: 'x' })
    const loss = mean(square(layers.reduce((h: Tensor, w) => tanh(matmul(h, w)), x)))
    const pairs = lossGradients(loss, layers)
    const train = momentum({ learningRate: 0.1 }).apply(
      allReduceGradients(group!, pairs, { deadlineMs, bucketBytes: 1 }),
    )
    await using session = new Session()
    await session.initialize(train)
    let events: readonly TraceEvent[] = []
    await session.run(train, { x: table(32, 16, 9) }, { onTrace: (seen) => (events = seen) })
    const order = events
      .filter(({ op }) => /MatMul|HostFunction/.test(op))
      .map(({ op }) => (op.includes('MatMul') ? 'product' : 'exchange'))
    const backward = order.slice(order.indexOf('exchange') - 1)
    // Between two exchanges that begin lie the product for the next gradient and the one that leads to it; the last one awaits all.
    expect(backward.filter((what) => what === 'exchange')).toHaveLength(6)
    const behind = backward
      .map((what, i) => (what === 'exchange' ? backward.slice(i).filter((w) => w === 'product').length : -1))
      .filter((n) => n >= 0)
    expect(behind).toEqual([8, 6, 4, 2, 0, 0])
  })

  it.each([
    [3, 8, 1],
    [5, 32, 2],
    [32, 128, 16],
    [8, 2048, 8],
    [128, 1024, 32],
  ])('sends %i gradients of %i KiB in %i parts unless said otherwise', (count, KiB, parts) => {
    const pairs = Array.from({ length: count }, (_, i): GradientPair => {
      const gradient = placeholder({ shape: [256 * KiB], name: `g${i}` })
      return [gradient, variable(zeros([1]), { name: `w${i}` })]
    })
    const never = (): Group => {
      throw new Error('nothing runs')
    }
    const means = allReduceGradients(never, pairs, { deadlineMs }).map(([mean]) => mean as Tensor)
    const begun = toposort({ fetches: means, targets: [] }).filter(({ name }) => /\/begin/.test(name))
    expect(begun).toHaveLength(parts)
  })

  it('changes nothing anywhere when one run fails', async () => {
    const ids = ['a', 'b']
    const memberships = (await localMeshes(ids)).map((mesh) => new Membership(mesh))
    await Promise.all(memberships.map((membership) => membership.form(ids, { deadlineMs })))
    const build = (fail: () => boolean) => {
      const { loss, count, variables } = network()
      const pairs = lossGradients(loss, variables).map(([gradient, v]): GradientPair => {
        if (v !== variables[1] || gradient instanceof IndexedSlices) return [gradient, v]
        const mayFail: HostFunction = ([value]) => {
          if (fail()) throw new RangeError('out of luck')
          return [value!]
        }
        return [hostFunction([gradient], mayFail, { types: [gradient.type] })[0]!, v]
      })
      return { pairs, count, variables }
    }
    const sessions = ids.map(() => new Session())
    let unlucky = true
    const parts = memberships.map((membership, i) => {
      const { pairs: own, count, variables } = build(() => i === 1 && unlucky)
      const pairs = allReduceGradients(() => membership.group!, own, {
        deadlineMs,
        weight: count,
        bucketBytes: 1,
      })
      return { train: momentum({ learningRate: 0.1 }).apply(pairs), variables }
    })
    await Promise.all(sessions.map((session, i) => session.initialize(parts[i]!.train)))
    const before = await Promise.all(sessions.map((session, i) => valuesOf(session, parts[i]!.variables)))
    const outcomes = await Promise.allSettled(
      sessions.map((session, i) => session.run(parts[i]!.train, examples(0, 4 * i, 4 * i + 4))),
    )
    expect(outcomes.map((o) => (o.status === 'rejected' ? (o.reason as Error).name : o.status))).toEqual([
      'ExchangeError',
      'RangeError',
    ])
    const after = await Promise.all(sessions.map((session, i) => valuesOf(session, parts[i]!.variables)))
    expect(after.map((list) => list.map((a) => a.toArray()))).toEqual(
      before.map((list) => list.map((a) => a.toArray())),
    )
    // The same sessions go on in the next generation.
    unlucky = false
    await Promise.all(
      memberships.map((membership, i) =>
        membership.step(() => sessions[i]!.run(parts[i]!.train, examples(0, 4 * i, 4 * i + 4)), {
          deadlineMs,
        }),
      ),
    )
    const trained = await Promise.all(sessions.map((session, i) => valuesOf(session, parts[i]!.variables)))
    expect(trained[0]!.map((a) => a.toArray())).toEqual(trained[1]!.map((a) => a.toArray()))
    expect(trained[0]!.map((a) => a.toArray())).not.toEqual(before[0]!.map((a) => a.toArray()))
    await Promise.all(sessions.map((session) => session.close()))
  })
})
