// Elastic jobs take what they can get.
import { describe, expect, it } from 'vitest'
import { grow, move } from './grow.ts'
import { offersOf } from './offer.ts'
import { dataset, hash, job, node } from './testing/cluster.ts'

const elastic = (count: number | 'all') => job({ tasks: { worker: { count } }, scheduling: 'elastic' })
const need = elastic(1).tasks['worker']!.need
const names = (assigned: ReturnType<typeof grow>) => assigned.map(({ task, node: at }) => `${task} ${at}`)

describe('growing', () => {
  const offers = offersOf([node('pi-1', { cores: 2 }), node('pi-2', { cores: 2 })], [{ node: 'pi-1', need }])

  it('fills the numbers that are free, up to the count', () => {
    const there = [{ task: 'worker:1', node: 'pi-1' }]
    expect(names(grow({ spec: elastic(3), there, offers }))).toEqual(['worker:0 pi-2', 'worker:2 pi-1'])
  })

  it('puts one on each node that is new, where all are asked for', () => {
    const there = [{ task: 'worker:0', node: 'pi-1' }]
    expect(names(grow({ spec: elastic('all'), there, offers }))).toEqual(['worker:1 pi-2'])
  })

  it('goes as far as it is told', () => {
    expect(grow({ spec: elastic(9), there: [], offers, atMost: 2 })).toHaveLength(2)
    expect(grow({ spec: elastic(9), there: [], offers })).toHaveLength(3)
  })

  it('adds nothing to a gang', () => {
    expect(grow({ spec: job(), there: [], offers })).toEqual([])
  })
})

describe('moving', () => {
  const there = [
    { task: 'worker:0', node: 'pi-1' },
    { task: 'worker:1', node: 'pi-1' },
  ]
  const hot = node('pi-1', { throttled: true })

  it('takes one task from a hot node to a cool one', () => {
    const offers = offersOf([hot, node('pi-2')], [])
    expect(move({ spec: elastic(2), there, offers })).toEqual({ task: 'worker:0', from: 'pi-1', to: 'pi-2' })
  })

  it('leaves all where they are when none is hot', () => {
    expect(
      move({ spec: elastic(2), there, offers: offersOf([node('pi-1'), node('pi-2')], []) }),
    ).toBeUndefined()
  })

  it('does not go from one hot node to another, nor where there is no room', () => {
    const offers = offersOf(
      [hot, node('pi-2', { throttled: true }), node('pi-3', { freeMemoryBytes: 0 })],
      [],
    )
    expect(move({ spec: elastic(2), there, offers })).toBeUndefined()
  })

  it('does not pay where the data has a long way', () => {
    const spec = { ...elastic(1), datasets: job({ datasets: dataset({ [hash('a')]: 5e9 }) }).datasets }
    const offers = offersOf([node('pi-1', { throttled: true, hashes: [hash('a')] }), node('pi-2')], [])
    expect(move({ spec, there: there.slice(0, 1), offers })).toBeUndefined()
  })

  it('is not for gangs', () => {
    expect(move({ spec: job(), there, offers: offersOf([hot, node('pi-2')], []) })).toBeUndefined()
  })
})
