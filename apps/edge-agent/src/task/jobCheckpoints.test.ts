import { constant, Session, variable } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Json } from '../jobs/json.ts'
import { DocumentLease } from './documentLease.ts'
import { JobCheckpoints } from './jobCheckpoints.ts'
import { contextOf, systemMeans } from './taskContext.ts'
import { MemoryJob } from './testing/memoryJob.ts'

const number = variable(constant(0, 'float32'), { name: 'number' })
const set = number.assign(constant(1, 'float32'))

/** A session in which the variable has a value, and the checkpoints of a job as one of its attempts has them. */
async function begin(job = new MemoryJob(), attempt = 0) {
  const session = new Session()
  await session.initialize(number)
  const context = contextOf(job.task(0, { attempt }), systemMeans)
  const checkpoints = new JobCheckpoints(context)
  return { job, session, checkpoints, lease: new DocumentLease(context.documents) }
}
const valueIn = async (session: Session): Promise<number> => (await session.run(number)).number()

describe('the checkpoints of a job', () => {
  it('are found by whoever goes on', async () => {
    const { job, session, checkpoints } = await begin()
    expect(await checkpoints.latest()).toBeUndefined()
    await checkpoints.save(session, [number], { step: 3, metrics: { loss: 0.5, odd: Number.NaN } })
    await session.run(set)
    await checkpoints.save(session, [number], { step: 4 })
    const next = await begin(job, 1)
    expect(await next.checkpoints.latest()).toBe(4)
    expect(await next.checkpoints.restore(next.session, [number])).toEqual({
      step: 4,
      metrics: {},
      missing: [],
    })
    expect(await valueIn(next.session)).toBe(1)
    const { metrics } = await next.checkpoints.restore(next.session, [number], { which: 3 })
    expect(metrics).toEqual({ loss: 0.5 })
    expect(await valueIn(next.session)).toBe(0)
  })

  it('are two, and those of steps that were undone are none', async () => {
    const { job, session, checkpoints } = await begin()
    const steps = () =>
      (job.value('checkpoints') as readonly { readonly step: number }[]).map(({ step }) => step)
    for (const step of [1, 2, 3]) await checkpoints.save(session, [number], { step })
    expect(steps()).toEqual([2, 3])
    await checkpoints.save(session, [number], { step: 3 })
    expect(steps()).toEqual([2, 3])
    await checkpoints.save(session, [number], { step: 2 })
    expect(steps()).toEqual([2])
  })

  it('fall back on the one before where the newest cannot be read', async () => {
    const { job, session, checkpoints } = await begin()
    await checkpoints.save(session, [number], { step: 1 })
    await session.run(set)
    await checkpoints.save(session, [number], { step: 2 })
    const [, newest] = job.value('checkpoints') as readonly { readonly hash: string }[]
    job.blobs.set(newest!.hash, Uint8Array.of(1, 2, 3))
    expect(await checkpoints.restore(session, [number])).toMatchObject({ step: 1 })
    expect(await valueIn(session)).toBe(0)
    job.blobs.clear()
    await expect(checkpoints.restore(session, [number])).rejects.toThrow(
      /^the job has no checkpoint that can be restored; that of step 2 cannot be read: there is no blob/,
    )
    await expect(checkpoints.restore(session, [number], { which: 9 })).rejects.toThrow(
      'no checkpoint of step 9',
    )
    await expect(checkpoints.restore(session, [number], { which: 'best' })).rejects.toThrow('ask for latest')
  })

  it('are not written by an attempt that another one has followed, nor when they are not confirmed', async () => {
    const { job, session, checkpoints } = await begin()
    const confirm = (): Promise<void> => Promise.reject(new Error('not chief any more'))
    await expect(checkpoints.save(session, [number], { step: 1, confirm })).rejects.toThrow('not chief')
    expect(job.value('checkpoints')).toBeUndefined()
    const next = await begin(job, 1)
    await next.checkpoints.save(session, [number], { step: 5 })
    await expect(checkpoints.save(session, [number], { step: 6 })).rejects.toThrow(
      'attempt 0 has no checkpoints to save any more: attempt 1 goes on from step 5',
    )
    expect(await checkpoints.latest()).toBe(5)
  })
})

describe('the lease of a job', () => {
  it('belongs to whoever claimed it last', async () => {
    const { job, lease } = await begin()
    expect(await lease.newest()).toEqual({ epoch: 0, holder: '' })
    expect(await lease.claim('worker 0')).toBe(1)
    const other = (await begin(job)).lease
    expect(await Promise.all([other.claim('a'), other.claim('b')])).toEqual(expect.arrayContaining([2, 3]))
    const { holder } = job.value('chief') as { readonly [key: string]: Json }
    expect(await lease.newest()).toEqual({ epoch: 3, holder })
  })
})
