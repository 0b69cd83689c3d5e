// Concurrency, errors and aborts: what runs when, and that everything is closed afterwards.
import { describe, expect, it } from 'vitest'
import { Dataset } from './dataset.ts'

/** A promise and its ends. */
const gate = () => Promise.withResolvers<void>()
const settled = async () => {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}

function observed(count = Infinity) {
  const log = { made: 0, opened: 0, closed: 0 }
  const dataset = Dataset.from(async function* () {
    log.opened++
    try {
      for (let i = 0; i < count; i++) {
        log.made++
        yield i
      }
    } finally {
      log.closed++
    }
  })
  return { log, dataset }
}

describe('concurrency', () => {
  it('keeps the order of a concurrent map, whatever finishes first', async () => {
    const gates = Array.from({ length: 6 }, gate)
    let [running, most] = [0, 0]
    const mapped = observed(6).dataset.map(
      async (i) => {
        most = Math.max(most, ++running)
        await gates[i]!.promise
        running--
        return i * 10
      },
      { concurrency: 3 },
    )
    const result = mapped.toArray()
    await settled()
    expect(running).toBe(3)
    for (const i of [2, 1, 0, 5, 4, 3]) gates[i]!.resolve()
    expect(await result).toEqual([0, 10, 20, 30, 40, 50])
    expect(most).toBe(3)
  })

  it('prefetches while the consumer works, and no more than asked', async () => {
    const { log, dataset } = observed()
    const pass = dataset.prefetch(3).iterate()
    expect(log.made).toBe(0)
    expect((await pass.next()).value).toBe(0)
    await settled()
    expect(log.made).toBe(4)
    await pass.return()
    expect(log.closed).toBe(1)
  })
})

describe('errors', () => {
  const fails = (i: number) => {
    if (i === 2) throw new RangeError('two')
    return i
  }

  it.each([
    ['map', (d: Dataset<number>) => d.map(fails)],
    ['concurrent map', (d: Dataset<number>) => d.map(fails, { concurrency: 4 })],
    ['map before prefetch', (d: Dataset<number>) => d.map(fails).prefetch(4)],
    ['filter', (d: Dataset<number>) => d.filter((i) => fails(i) >= 0)],
    ['interleave', (d: Dataset<number>) => Dataset.from([0]).interleave(() => d.map(fails))],
  ])('of a %s come out where the element would, and close the source', async (_, build) => {
    const { log, dataset } = observed()
    const seen: unknown[] = []
    const pass = async () => {
      for await (const element of build(dataset)) seen.push(element)
    }
    await expect(pass()).rejects.toThrow(new RangeError('two'))
    expect(seen).toEqual([0, 1])
    expect(log).toMatchObject({ opened: 1, closed: 1 })
  })

  it('closes all sources of a zip when one fails or ends', async () => {
    const [a, b] = [observed(), observed()]
    await expect(Dataset.zip([a.dataset, b.dataset.map(fails)]).toArray()).rejects.toThrow('two')
    expect([a.log.closed, b.log.closed]).toEqual([1, 1])
    await Dataset.zip([a.dataset, observed(2).dataset]).toArray()
    expect(a.log.closed).toBe(2)
  })

  it('closes everything when the consumer leaves', async () => {
    const [outer, inner] = [observed(), observed()]
    const dataset = outer.dataset
      .interleave(() => inner.dataset, { cycleLength: 3 })
      .window(2)
      .prefetch(2)
    for await (const element of dataset) {
      expect(element).toHaveLength(2)
      break
    }
    expect(outer.log.closed).toBe(1)
    expect(inner.log).toMatchObject({ opened: 3, closed: 3 })
  })
})

describe('abort', () => {
  it('ends a pass while an element is awaited, though the source never answers', async () => {
    const controller = new AbortController()
    const stuck = Dataset.from(async function* () {
      yield 1
      await new Promise(() => {})
    })
    const pass = stuck.map((x) => x).iterate({ signal: controller.signal })
    expect((await pass.next()).value).toBe(1)
    const next = pass.next()
    controller.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
    expect((await pass.next()).done).toBe(true)
  })

  it('tells the source, and closes it', async () => {
    const controller = new AbortController()
    const closed = gate()
    const source = Dataset.from(async function* ({ signal }) {
      try {
        yield 1
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('told'))))
      } finally {
        closed.resolve()
      }
    })
    const result = source.prefetch(2).toArray({ signal: controller.signal })
    await settled()
    controller.abort()
    await expect(result).rejects.toThrow(/abort/i)
    await closed.promise
  })

  it('opens nothing when it was aborted before', async () => {
    const { log, dataset } = observed()
    await expect(dataset.toArray({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
    expect(log.opened).toBe(0)
  })
})
