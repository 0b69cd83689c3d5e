// Who goes first, and what waits for whom.
import { describe, expect, it } from 'vitest'
import type { JobRequest } from '../jobs/spec.ts'
import { type Holding, offersOf, type SchedulableNode } from './offer.ts'
import { nextPlacements, type RunningJob, type WaitingJob } from './queue.ts'
import { gibibyte, job, node } from './testing/cluster.ts'

function waits(name: string, submittedAt: number, request: Partial<JobRequest> = {}): WaitingJob {
  return { jobId: `j-${name.padEnd(12, '0')}`, spec: job({ name, ...request }), submittedAt }
}
const gang = (count: number, need: object = {}) => ({ tasks: { worker: { count, need } } })
const elastic = (count: number | 'all') => ({ tasks: { worker: { count } }, scheduling: 'elastic' as const })

/** Begins what may begin; answers 'name: worker:0 pi-1, …' or 'name: reason' for each decision. */
function next(
  nodes: readonly SchedulableNode[],
  waiting: readonly WaitingJob[],
  { running = [], holdings = [] }: { running?: readonly RunningJob[]; holdings?: readonly Holding[] } = {},
) {
  const names = new Map([...waiting, ...running].map(({ jobId, spec }) => [jobId, spec.name]))
  return nextPlacements({ waiting, running, offers: offersOf(nodes, holdings) }).map(
    ({ jobId, decision }) => ({
      name: names.get(jobId),
      places:
        decision.kind === 'placed'
          ? decision.assignments.map(({ task, node: at }) => `${task} ${at}`)
          : undefined,
      reason: decision.kind === 'wait' ? decision.reason : undefined,
    }),
  )
}
const begun = (decisions: ReturnType<typeof next>) =>
  decisions.filter(({ places }) => places).map(({ name }) => name)

/** Tasks of another job that hold this many cores of a node, and hardly any memory. */
const hold = (at: string, cores: number): Holding => ({
  node: at,
  need: { ...job(gang(1, { cores })).tasks['worker']!.need, memoryBytes: 2 ** 24 },
})

describe('the queue', () => {
  it('is in order of priority, then of age', () => {
    const nodes = [node('pi-1')]
    const waiting = [
      waits('young', 3, gang(4)),
      waits('old', 1, gang(4)),
      waits('urgent', 9, { ...gang(4), priority: 1 }),
    ]
    expect(next(nodes, waiting).map(({ name }) => name)).toEqual(['urgent', 'old', 'young'])
    expect(begun(next(nodes, waiting))).toEqual(['urgent'])
  })

  it('lets several jobs run side by side', () => {
    const waiting = [waits('a', 1, gang(2)), waits('b', 2, gang(2)), waits('c', 3, gang(4))]
    expect(begun(next([node('pi-1'), node('pi-2')], waiting))).toEqual(['a', 'b', 'c'])
  })

  it('lets small jobs pass one that waits only where that can make no use of the room', () => {
    const nodes = [node('big', { cores: 8 }), node('small', { cores: 2 })]
    const holdings = [hold('big', 4)]
    const waiting = [
      waits('wide', 1, gang(1, { cores: 8 })),
      waits('two', 2, gang(2)),
      waits('three', 3, gang(3)),
    ]
    const decisions = next(nodes, waiting, { holdings })
    expect(decisions[1]!.places).toEqual(['worker:0 small', 'worker:1 small'])
    expect(decisions[2]!.reason).toBe(
      "There is room for it, but it is kept for 'wide' (j-wide00000000), which goes first.",
    )
  })

  it('keeps no room for a job that can never run here', () => {
    const waiting = [waits('giant', 1, gang(1, { memoryBytes: 64 * gibibyte })), waits('small', 2, gang(4))]
    const decisions = next([node('pi-1')], waiting)
    expect(decisions[0]!.reason).toContain('No node can ever take')
    expect(begun(decisions)).toEqual(['small'])
  })

  it('keeps what is free for a gang of which a part would fit', () => {
    const nodes = [node('pi-1', { cores: 2 }), node('pi-2', { cores: 2 })]
    const waiting = [waits('four', 1, gang(4)), waits('one', 2, gang(1))]
    expect(begun(next(nodes, waiting, { holdings: [hold('pi-1', 1)] }))).toEqual([])
    expect(begun(next(nodes, waiting))).toEqual(['four'])
  })

  it('keeps for a gang of like tasks what is free now, be it slower than what is not', () => {
    const nodes = [node('desk', { cores: 2, gflops: 50 }), node('pi-1', { cores: 2 })]
    const waiting = [waits('two', 1, gang(2)), waits('one', 2, gang(1))]
    expect(begun(next(nodes, waiting, { holdings: [hold('desk', 2), hold('pi-1', 1)] }))).toEqual([])
  })

  it('keeps for a gang of unlike tasks always the same places', () => {
    const mixed = { tasks: { worker: { count: 1, need: { cores: 2 } }, ps: { count: 1 } } }
    const nodes = [node('pi-1', { cores: 3, gflops: 40 }), node('pi-2', { cores: 1 })]
    const waiting = [waits('mixed', 1, mixed), waits('one', 2, gang(1))]
    const places = [hold('pi-1', 2), hold('pi-1', 3)].map(
      (held) => next(nodes, waiting, { holdings: [held] })[1],
    )
    const elsewhere = { places: ['worker:0 pi-2'] }
    expect(places).toMatchObject([elsewhere, elsewhere])
  })

  it('begins a gang in the places that were kept, though by now they would be missed', () => {
    // When nothing runs, the chief fits tightly into the small node; with tasks on the large one, that would look tighter.
    const unlike = {
      tasks: {
        chief: { count: 1, need: { memoryBytes: 3 * gibibyte } },
        worker: { count: 2, need: { memoryBytes: 2 * gibibyte } },
      },
    }
    const nodes = [
      node('large', { cores: 6, gflops: 9, memoryBytes: 4.1 * gibibyte }),
      node('small', { cores: 4, memoryBytes: 3 * gibibyte }),
    ]
    const [only] = next(nodes, [waits('unlike', 1, unlike)], { holdings: [hold('large', 3)] })
    expect(only!.places).toEqual(['chief:0 small', 'worker:0 large', 'worker:1 large'])
  })
})

describe('elastic jobs', () => {
  it('share what is left, task by task', () => {
    const decisions = next(
      [node('pi-1'), node('pi-2')],
      [waits('a', 1, elastic(100)), waits('b', 2, elastic(100))],
    )
    expect(decisions.map(({ places }) => places?.length)).toEqual([4, 4])
  })

  it('leave to gangs of their priority what these need to begin', () => {
    const decisions = next([node('pi-1')], [waits('search', 1, elastic(100)), waits('train', 2, gang(3))])
    expect(decisions.map(({ places }) => places?.length)).toEqual([1, 3])
  })

  it('leave nothing to lower priorities', () => {
    const waiting = [waits('search', 2, { ...elastic(100), priority: 1 }), waits('train', 1, gang(1))]
    expect(begun(next([node('pi-1')], waiting))).toEqual(['search'])
  })

  it('that run grow onto new nodes, but not into what is kept for who waits', () => {
    const there = [{ task: 'worker:0', node: 'pi-1' }]
    const running = [{ ...waits('search', 1, elastic(100)), there }]
    const nodes = [node('pi-1', { cores: 1 }), node('pi-2', { cores: 2 })]
    const holdings = [hold('pi-1', 1)]
    const [grown] = next(nodes, [], { running, holdings })
    expect(grown).toMatchObject({ name: 'search', places: ['worker:1 pi-2', 'worker:2 pi-2'] })
    expect(begun(next(nodes, [waits('train', 2, gang(3))], { running, holdings }))).toEqual([])
  })

  it('that have fewer tasks come first', () => {
    const there = [0, 1, 2].map((index) => ({ task: `worker:${index}`, node: 'pi-1' }))
    const running = [
      { ...waits('rich', 1, elastic(100)), there },
      { ...waits('poor', 2, elastic(100)), there: [] },
    ]
    const nodes = [node('pi-1'), node('pi-2', { cores: 2 })]
    const [only, ...others] = next(nodes, [], { running, holdings: [hold('pi-1', 3)] })
    expect(only).toMatchObject({ name: 'poor', places: ['worker:0 pi-2', 'worker:1 pi-1', 'worker:2 pi-2'] })
    expect(others).toEqual([])
  })

  it('that run and gain nothing are not spoken of', () => {
    const running = [{ ...waits('search', 1, elastic(1)), there: [{ task: 'worker:0', node: 'pi-1' }] }]
    expect(next([node('pi-1')], [], { running })).toEqual([])
  })
})
