import { describe, expect, it } from 'vitest'
import type { JobEvent } from '../history/event.ts'
import { type Beginning, Copier, type Copied } from './copier.ts'

const job = 'j-abcdefghijkl'
const events: readonly JobEvent[] = Array.from({ length: 7 }, (_, term) => ({
  v: 1,
  job,
  at: 0,
  kind: 'led',
  node: 'a',
  term: term + 1,
}))
const entry = (key: string, version: number) => ({ key, version, value: version })

/** A keeper that has some events already, and a leader that sends three at a time. */
function copying(beginning: Beginning) {
  const sent: Copied[] = []
  const copier = new Copier(
    {
      begin: async () => beginning,
      readEvents: async (from) => events.slice(from, from + 3),
      eventCount: () => events.length,
      async send(what) {
        sent.push(what)
        return what.from + what.events.length
      },
    },
    [entry('one', 1)],
  )
  const said = () =>
    sent.map(({ from, entries, reset }) => [from, entries.map(({ key }) => key).join(), reset])
  return { copier, said }
}

describe('a copier', () => {
  it('sends documents when all events before them are there', async () => {
    const { copier, said } = copying({ from: 0, reset: false })
    await copier.push([entry('two', 2)])
    expect(said()).toEqual([
      [0, '', false],
      [3, '', false],
      [6, 'one,two', false],
    ])
  })

  it('goes on behind the events that the keeper has', async () => {
    const { copier, said } = copying({ from: 5, reset: false })
    await copier.push([entry('one', 2)])
    await copier.push([entry('two', 3)])
    expect(said()).toEqual([
      [5, 'one', false],
      [7, 'two', false],
    ])
  })

  it('has a keeper forget what went another way, once', async () => {
    const { copier, said } = copying({ from: 0, reset: true })
    await copier.push([])
    expect(said().map(([, , reset]) => reset)).toEqual([true, false, false])
  })
})
