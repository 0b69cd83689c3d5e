// Elastic jobs make room.
import { describe, expect, it } from 'vitest'
import type { JobRequest } from '../jobs/spec.ts'
import { offersOf, type SchedulableNode } from './offer.ts'
import type { RunningJob, WaitingJob } from './queue.ts'
import { job, node } from './testing/cluster.ts'
import { yielding } from './yielding.ts'

const gang = (count: number) => ({ tasks: { worker: { count } } })
const elastic = (count: number | 'all') => ({ tasks: { worker: { count } }, scheduling: 'elastic' as const })

function waits(name: string, submittedAt: number, request: Partial<JobRequest> = {}): WaitingJob {
  return { jobId: name, spec: job({ name, ...request }), submittedAt }
}
/** An elastic job with a task on each of these nodes. */
const runs = (name: string, at: readonly string[], priority = 0): RunningJob => ({
  ...waits(name, 0, { ...elastic(100), priority }),
  there: at.map((nodeId, index) => ({ task: `worker:${index}`, node: nodeId })),
})

function given(
  nodes: readonly SchedulableNode[],
  waiting: readonly WaitingJob[],
  running: readonly RunningJob[],
) {
  const holdings = running.flatMap(({ spec, there }) =>
    there.map((place) => ({ node: place.node, need: spec.tasks['worker']!.need })),
  )
  const offers = offersOf(nodes, holdings)
  return yielding({ waiting, running, offers }).map(({ jobId, task, node: at }) => `${jobId} ${task} ${at}`)
}
const pi = node('pi')
const four = ['pi', 'pi', 'pi', 'pi']

describe('yielding', () => {
  it('gives up as many tasks as the first that waits needs, the last ones first', () => {
    expect(given([pi], [waits('train', 1, gang(2))], [runs('search', four)])).toEqual([
      'search worker:2 pi',
      'search worker:3 pi',
    ])
    expect(given([pi], [waits('other', 1, elastic(9))], [runs('search', four)])).toEqual([
      'search worker:3 pi',
    ])
  })

  it('takes from each alike, and from lower priorities first', () => {
    const nodes = [pi, node('pi-2')]
    const both = (priority: number) => [
      runs('a', four, priority),
      runs(
        'b',
        four.map(() => 'pi-2'),
      ),
    ]
    const waiting = [waits('train', 1, { ...gang(2), priority: 1 })]
    expect(given(nodes, waiting, both(0))).toEqual(['a worker:3 pi', 'b worker:3 pi-2'])
    expect(given(nodes, waiting, both(1))).toEqual(['b worker:2 pi-2', 'b worker:3 pi-2'])
  })

  it('leaves each job a task, and gives up none where that is not enough', () => {
    expect(given([pi], [waits('train', 1, gang(3))], [runs('search', four)])).toHaveLength(3)
    expect(given([pi], [waits('train', 1, gang(4))], [runs('search', four)])).toEqual([])
  })

  it('is not for lower priorities, nor for who can begin without it', () => {
    expect(given([pi], [waits('train', 1, gang(1))], [runs('search', four, 1)])).toEqual([])
    expect(given([pi], [waits('train', 1, gang(1))], [runs('search', four.slice(1))])).toEqual([])
  })

  it('helps nobody who waits behind the first', () => {
    const waiting = [waits('large', 1, gang(4)), waits('small', 2, gang(1))]
    expect(given([pi], waiting, [runs('search', four)])).toEqual([])
  })

  it('does not heed a job that can never run here', () => {
    const waiting = [waits('giant', 1, gang(99)), waits('small', 2, gang(1))]
    expect(given([pi], waiting, [runs('search', four)])).toEqual(['search worker:3 pi'])
  })

  it('goes from who has most to who has least', () => {
    expect(given([pi], [], [runs('a', four.slice(1)), runs('b', ['pi'])])).toEqual(['a worker:2 pi'])
    expect(given([pi], [], [runs('a', four.slice(2)), runs('b', four.slice(2))])).toEqual([])
    expect(given([pi], [], [runs('a', four.slice(1), 1), runs('b', ['pi'])])).toEqual([])
  })
})
