// Decisions in lines for people.
import { describe, expect, it } from 'vitest'
import { explain } from './explain.ts'
import { offersOf } from './offer.ts'
import { place } from './place.ts'
import { dataset, hash, job, node } from './testing/cluster.ts'

describe('an explanation', () => {
  it('says for each task where it runs, how fast, and what it has to fetch', () => {
    const datasets = dataset({ [hash('a')]: 125e6 })
    const offers = offersOf(
      [node('pi-1', { throttled: true }), node('pi-2', { hashes: [hash('a'), hash('0')] })],
      [],
    )
    expect(explain(place({ spec: job({ datasets }), offers }), offers)).toEqual([
      'worker:0 on pi-2: 5.0 GFLOP/s, nothing to fetch, exchange with the others 6.0 s of a typical minute',
      'worker:1 on pi-1: 2.5 GFLOP/s (slowed by heat), 120 MiB to fetch (about 10 s), exchange with the others 6.0 s of a typical minute',
    ])
  })

  it('says of an elastic task nothing of exchange', () => {
    const offers = offersOf([node('pi-1', { hashes: [hash('0')] })], [])
    const spec = job({ scheduling: 'elastic', tasks: { worker: { count: 1 } } })
    expect(explain(place({ spec, offers }), offers)).toEqual([
      'worker:0 on pi-1: 5.0 GFLOP/s, nothing to fetch',
    ])
  })

  it('breaks the reason to wait into lines', () => {
    const offers = offersOf([node('pi-1'), node('pi-2')], [])
    const spec = job({ tasks: { worker: { count: 9 } } })
    expect(explain(place({ spec, offers }), offers)).toEqual([
      "9 tasks 'worker' ask for 1 core and 512 MiB each.",
      'pi-1 has 4 of 4 cores and 4 GiB of 4 GiB free',
      'pi-2 has 4 of 4 cores and 4 GiB of 4 GiB free.',
      'Even when nothing else runs, these nodes together cannot take all of it: invite another node, or ask for less.',
    ])
  })
})
