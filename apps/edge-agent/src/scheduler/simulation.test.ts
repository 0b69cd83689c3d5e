// What must be true of any cluster and any mix of jobs.
import { Random } from '@shoal/tune'
import { describe, expect, it } from 'vitest'
import { offersOf } from './offer.ts'
import { place } from './place.ts'
import { reserve } from './reserve.ts'
import { dataset, hash, job, node } from './testing/cluster.ts'
import { longest, randomJob, randomNodes, Simulation } from './testing/simulation.ts'

describe('many clusters', { timeout: 60_000 }, () => {
  it('are never overfull, run gangs whole, put nobody off for ever, and come to an end', {
    timeout: 60_000,
  }, () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = new Random(seed, 1)
      const nodes = randomNodes(random)
      const simulation = new Simulation(random, nodes)
      for (let tick = 0; tick < 10; tick++) {
        for (let arrivals = random.below(3); arrivals > 0; arrivals--) simulation.submit(randomJob(random))
        simulation.step()
      }
      for (let tick = 0; tick < 400 && simulation.running.length > 0; tick++) simulation.step()
      expect(simulation.running).toEqual([])
      const offers = offersOf(nodes, [])
      const possible = simulation.waiting.filter(({ spec }) => reserve(spec, offers))
      expect(possible, `jobs left over of seed ${seed}`).toEqual([])
    }
  })

  it('begin a large job though small ones never cease to come', () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = new Random(seed, 2)
      const nodes = Array.from({ length: 2 + random.below(4) }, (_, index) =>
        node(`node-${index}`, { cores: 1 + random.below(4), gflops: 1 + random.below(20) }),
      )
      const simulation = new Simulation(random, nodes)
      const small = () => simulation.submit(job({ tasks: { worker: { count: 1 } } }))
      const cores = nodes.reduce((sum, { inventory }) => sum + inventory.cores, 0)
      for (let index = 0; index < cores; index++) small()
      simulation.step()
      const large = simulation.submit(job({ tasks: { worker: { count: cores } } }))
      for (let tick = 0; tick <= longest; tick++) {
        small()
        simulation.step()
        if (simulation.running.some(({ jobId }) => jobId === large)) break
      }
      expect(simulation.running.map(({ jobId }) => jobId)).toEqual([large])
    }
  })

  it('send a task to its data, wherever among equals that is free', () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = new Random(seed, 3)
      const count = 2 + random.below(7)
      const home = random.below(count)
      const nodes = Array.from({ length: count }, (_, index) =>
        node(`node-${index}`, { hashes: index === home ? [hash('a')] : [], cores: 1 }),
      )
      const spec = job({
        tasks: { worker: { count: 1 } },
        scheduling: random.pick(['gang', 'elastic']),
        datasets: dataset({ [hash('a')]: 1e6 * (1 + random.below(1000)) }),
      })
      const where = (holdings: Parameters<typeof offersOf>[1]) => {
        const decision = place({ spec, offers: offersOf(nodes, holdings) })
        return decision.kind === 'placed' ? decision.assignments.map((one) => one.node) : []
      }
      const held = { node: `node-${home}`, need: spec.tasks['worker']!.need }
      expect(where([])).toEqual([held.node])
      expect(where([held])).toEqual([home === 0 ? 'node-1' : 'node-0'])
    }
  })
})
