// Who does what, for one job.
import { describe, expect, it } from 'vitest'
import type { JobSpec } from '../jobs/spec.ts'
import { type Holding, offersOf, type SchedulableNode } from './offer.ts'
import { place } from './place.ts'
import { dataset, gibibyte, hash, job, node } from './testing/cluster.ts'

/** `worker:0 pi-1`, or the reason. */
function placed(spec: JobSpec, nodes: readonly SchedulableNode[], holdings: readonly Holding[] = []) {
  const decision = place({ spec, offers: offersOf(nodes, holdings) })
  return decision.kind === 'wait'
    ? decision.reason
    : decision.assignments.map(({ task, node: nodeId }) => `${task} ${nodeId}`).toSorted()
}
const pis = [node('pi-1'), node('pi-2'), node('pi-3')]
const workers = (count: number | 'all', more: object = {}) =>
  job({ tasks: { worker: { count, need: more } } })
const gigabit = { roundTripMs: 0.3, bytesPerSecond: 110e6 }
const wifi = { roundTripMs: 10, bytesPerSecond: 3e6 }

describe('a gang', () => {
  it('goes to the fastest nodes', () => {
    const nodes = [node('pi-1', { gflops: 3 }), node('pi-2', { gflops: 5 }), node('pi-3', { gflops: 5 })]
    expect(placed(workers(2), nodes)).toEqual(['worker:0 pi-2', 'worker:1 pi-3'])
  })

  it('takes each node once before it takes one twice', () => {
    const nodes = [node('desk', { gflops: 12 }), node('pi-1'), node('pi-2')]
    expect(placed(workers(4), nodes)).toEqual(
      expect.arrayContaining([expect.stringContaining('pi-1'), expect.stringContaining('pi-2')]),
    )
  })

  it('prefers a second task on one node to a node that is more than four times slower', () => {
    const nodes = [node('desk', { gflops: 50 }), node('pi-1', { gflops: 5 })]
    expect(placed(workers(2), nodes)).toEqual(['worker:0 desk', 'worker:1 desk'])
  })

  it('avoids a node that is slowed by heat', () => {
    const nodes = [node('pi-1', { throttled: true }), node('pi-2'), node('pi-3')]
    expect(placed(workers(2), nodes)).toEqual(['worker:0 pi-2', 'worker:1 pi-3'])
  })

  it('runs whole or not at all', () => {
    expect(placed(workers(12), pis)).toHaveLength(12)
    expect(placed(workers(13), pis)).toContain("13 tasks 'worker' ask for 1 core and 512 MiB each")
  })

  it('gets only nodes that have the device', () => {
    const nodes = [...pis, node('desk', { gpus: 1 })]
    const spec = workers(1, { devices: ['webgpu'] })
    expect(placed(spec, nodes)).toEqual(['worker:0 desk'])
    const holdings = [{ node: 'desk', need: spec.tasks['worker']!.need }]
    expect(placed(spec, nodes, holdings)).toContain(
      'desk has 3 of 4 cores, 3.5 GiB of 4 GiB and 0 of 1 GPU free',
    )
  })

  it('leaves GPUs to those who ask for them where nothing else speaks for their nodes', () => {
    expect(placed(workers(1), [node('a', { gpus: 1 }), node('b')])).toEqual(['worker:0 b'])
  })

  it('of a task on each node takes those that have room for one', () => {
    const nodes = [...pis, node('pi-4', { freeMemoryBytes: 0.25 * gibibyte })]
    expect(placed(workers('all'), nodes)).toEqual(['worker:0 pi-1', 'worker:1 pi-2', 'worker:2 pi-3'])
    expect(placed(workers('all', { cores: 5 }), nodes)).toContain("No node can ever take a task 'worker'")
  })

  it('finds room for who serves beside a task on each node', () => {
    const spec = job({ tasks: { worker: { count: 'all' }, ps: { count: 1 } } })
    const nodes = [node('pi-1', { cores: 1 }), node('pi-2', { cores: 1 })]
    expect(placed(spec, nodes)).toEqual(['ps:0 pi-1', 'worker:0 pi-2'])
  })

  it('packs tightly where the fast places would not hold all', () => {
    // By speed alone the biggest task would take the fast node, and one of the others would find no memory.
    const nodes = [
      node('fast', { memoryBytes: 4 * gibibyte, gflops: 9 }),
      node('slow', { memoryBytes: 3 * gibibyte }),
    ]
    const spec = job({
      tasks: {
        chief: { count: 1, need: { memoryBytes: 3 * gibibyte } },
        worker: { count: 2, need: { memoryBytes: 2 * gibibyte } },
      },
    })
    expect(placed(spec, nodes)).toEqual(['chief:0 slow', 'worker:0 fast', 'worker:1 fast'])
  })

  it('puts who serves where the ways to the others are best', () => {
    const nodes = [
      node('pi-1', { cores: 2, links: { 'pi-2': wifi, 'pi-3': wifi, 'pi-4': wifi } }),
      node('pi-2', { cores: 2, links: { 'pi-3': gigabit, 'pi-4': wifi } }),
      node('pi-3', { cores: 2, links: { 'pi-2': gigabit, 'pi-4': gigabit } }),
      node('pi-4', { cores: 2 }),
    ]
    const spec = job({ tasks: { worker: { count: 4 }, ps: { count: 1, need: { cores: 1 } } } })
    expect(placed(spec, nodes)).toContain('ps:0 pi-3')
  })

  it('makes the worker chief that is linked best, not the fastest, where no task is named for it', () => {
    const nodes = [
      node('desk', { gflops: 15, links: { 'pi-1': wifi, 'pi-2': wifi } }),
      node('pi-1', { links: { 'pi-2': gigabit } }),
      node('pi-2'),
    ]
    expect(placed(workers(3), nodes)).toContain('worker:0 pi-1')
    const named = job({ tasks: { worker: { count: 2 }, chief: { count: 1 } } })
    expect(placed(named, nodes)).toEqual(['chief:0 desk', 'worker:0 pi-1', 'worker:1 pi-2'])
  })

  it('has the same answer whatever the order of the nodes', () => {
    const spec = job({ tasks: { worker: { count: 5 }, ps: { count: 2 } } })
    expect(placed(spec, pis.toReversed())).toEqual(placed(spec, pis))
  })
})

describe('the data', () => {
  const spec = (bytes: number) =>
    job({ tasks: { worker: { count: 1 } }, datasets: dataset({ [hash('a')]: bytes }) })

  it('draws a task to where it is', () => {
    const nodes = [node('pi-1'), node('pi-2', { hashes: [hash('a')] }), node('pi-3')]
    expect(placed(spec(50e6), nodes)).toEqual(['worker:0 pi-2'])
  })

  it('does not outweigh a node that is much faster', () => {
    const nodes = [node('desk', { gflops: 50 }), node('pi-1', { hashes: [hash('a'), hash('0')] })]
    expect(placed(spec(50e6), nodes)).toEqual(['worker:0 desk'])
    // Ten gigabytes on the way of 12.5 MB/s take longer than the slow node's minutes.
    expect(placed(spec(10e9), nodes)).toEqual(['worker:0 pi-1'])
  })

  it('comes from the nearest that has it', () => {
    const nodes = [
      node('nas', {
        cores: 1,
        freeMemoryBytes: 0,
        hashes: [hash('a')],
        links: { 'pi-1': wifi, 'pi-2': gigabit },
      }),
      node('pi-1'),
      node('pi-2'),
    ]
    const decision = place({ spec: spec(330e6), offers: offersOf(nodes, []) })
    expect(decision).toMatchObject({
      assignments: [{ node: 'pi-2', estimate: { missingBytes: 330e6 + 2 ** 20 } }],
    })
  })

  it('is not fetched by who serves, nor twice to one node', () => {
    const two = { ...spec(50e6), tasks: job({ tasks: { worker: { count: 2 }, ps: { count: 1 } } }).tasks }
    const decision = place({ spec: two, offers: offersOf([node('pi-1')], []) })
    const missing =
      decision.kind === 'placed' ? decision.assignments.map((one) => one.estimate.missingBytes) : []
    expect(missing).toEqual([50e6 + 2 ** 20, 0, 0])
  })
})

describe('an elastic job', () => {
  const elastic = (count: number | 'all') => job({ tasks: { worker: { count } }, scheduling: 'elastic' })

  it('gets as many tasks as fit, up to the count', () => {
    expect(placed(elastic(5), pis)).toHaveLength(5)
    expect(placed(elastic(100), pis)).toHaveLength(12)
    expect(placed(elastic('all'), pis)).toEqual(['worker:0 pi-1', 'worker:1 pi-2', 'worker:2 pi-3'])
  })

  it('waits where not one task fits', () => {
    const holdings = pis.map(({ nodeId }) => ({
      node: nodeId,
      need: workers(1, { cores: 4 }).tasks['worker']!.need,
    }))
    expect(placed(elastic(5), pis, holdings)).toContain(
      'It begins when enough of the tasks that run now have ended.',
    )
  })
})

describe('the reason', () => {
  it('says what is asked for, what each node has, and what helps', () => {
    const nodes = [
      node('pi-1', { freeMemoryBytes: 1.2 * gibibyte }),
      node('pi-2', { freeMemoryBytes: 3 * gibibyte, cores: 1 }),
    ]
    expect(placed(workers(4, { memoryBytes: 2 * gibibyte }), nodes)).toBe(
      "4 tasks 'worker' ask for 1 core and 2 GiB each. pi-1 has 4 of 4 cores and 1.2 GiB of 1.2 GiB free; " +
        'pi-2 has 1 of 1 core and 3 GiB of 3 GiB free. ' +
        'Even when nothing else runs, these nodes together cannot take all of it: invite another node, or ask for less.',
    )
  })

  it('names the task that no node can take', () => {
    const reason = placed(workers(1, { memoryBytes: 64 * gibibyte, devices: ['webgpu'] }), pis)
    expect(reason).toContain(
      "No node can ever take a task 'worker': invite one that has 1 core, 64 GiB and a GPU, or ask for less.",
    )
    expect(reason).toContain('pi-1 has 4 of 4 cores, 4 GiB of 4 GiB and no GPU free')
  })

  it('says that clients compute nothing', () => {
    expect(placed(workers(1), [node('laptop', { role: 'client' })])).toContain('No node computes')
  })

  it('stays short in a large cluster', () => {
    const many = Array.from({ length: 100 }, (_, index) => node(`pi-${index}`))
    expect(placed(workers(1000), many)).toContain('92 more nodes')
  })
})
