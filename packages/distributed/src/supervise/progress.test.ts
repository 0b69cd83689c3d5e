import { add, constant, device, DTypeError, group, Session, variable } from '@shoal/core'
import { gradientDescent, lossGradients } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { AsyncReplicas } from '../replicate/asyncReplicas.ts'
import { Progress } from './progress.ts'

describe('the progress of training', () => {
  const globalStep = device('/job:ps/task:1', () =>
    variable(constant(0, 'int32'), { name: 'globalStep', trainable: false }),
  )
  const w = variable(5, { name: 'w' })
  const step = gradientDescent({ learningRate: 0.1 }).minimize(w.read(), { globalStep })

  it('takes the count from the step that counts, and reads it where none does', () => {
    const progress = new Progress(globalStep)
    const counted = progress.after({ w, step }).step
    expect(counted.node.op.name).toBe('AssignVariable')
    expect(progress.after({ again: step }).step).toBe(counted)
    expect(progress.after({ w: add(w, 1), v: w }).step).toBe(globalStep.read())
  })

  it('is where the count is, and is known to all', async () => {
    const progress = new Progress(globalStep)
    expect(progress.flag.resource.initial!.node.device).toBe('/job:ps/task:1')
    await using session = new Session()
    await session.initialize(step, progress.flag)
    expect(await progress.read(session)).toEqual({ step: 0, stopped: false })
    const { step: after, flag } = progress.after({ step })
    const answer = await session.run({ after, flag, step })
    expect([answer.after.item(), answer.flag.item()]).toEqual([1, 0])
    await progress.raise(session)
    expect(await progress.read(session)).toEqual({ step: 1, stopped: true })
  })

  it('counts in int64 as well, through groups', async () => {
    const long = variable(constant(2, 'int64'), { name: 'long', trainable: false })
    const progress = new Progress(long)
    await using session = new Session()
    await session.initialize(long, progress.flag)
    const both = group(long.assignAdd(constant(3, 'int64')), w.read())
    await session.initialize(w)
    expect((await session.run({ after: progress.after({ both }).step, both })).after.item()).toBe(5n)
    expect((await progress.read(session)).step).toBe(5)
  })

  it('reads the count after a step that counts within a branch', async () => {
    const branching = variable(constant(0, 'int32'), { name: 'branching', trainable: false })
    const replicas = new AsyncReplicas(gradientDescent({ learningRate: 0.1 }), lossGradients(w.read()), {
      globalStep: branching,
      replica: 0,
      totalReplicas: 1,
    })
    const progress = new Progress(branching)
    await using session = new Session()
    await session.initialize(replicas.train, branching, progress.flag)
    const fetches = { ...progress.after({ train: replicas.train }), train: replicas.train }
    for (const count of [1, 2, 3]) expect((await session.run(fetches)).step.item()).toBe(count)
  })

  it('refuses a count that is no whole number', () => {
    for (const wrong of [w, variable(constant([1], 'int32'), { name: 'list' })])
      expect(() => new Progress(wrong)).toThrow(DTypeError)
  })
})
