import {
  add,
  caseOf,
  constant,
  controlDependencies,
  device,
  DTypeError,
  group,
  Session,
  variable,
} from '@shoal/core'
import { gradientDescent } from '@shoal/train'
import { describe, expect, it } from 'vitest'
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

  it('reads the count after a branch that counts, whatever that answers', async () => {
    const counter = variable(constant(0, 'int32'), { name: 'inBranch', trainable: false })
    const progress = new Progress(counter)
    const branch = caseOf(0, [
      () => controlDependencies([counter.assignAdd(constant(2, 'int32'))], () => constant(7, 'int32')),
    ])
    const { step } = progress.after({ branch })
    expect(progress.after({ branch }).step).toBe(step)
    await using session = new Session()
    await session.initialize(counter, progress.flag)
    expect((await session.run({ step, branch })).step.item()).toBe(2)
    expect((await session.run({ step, branch })).step.item()).toBe(4)
  })

  it('refuses a count that is no whole number', () => {
    for (const wrong of [w, variable(constant([1], 'int32'), { name: 'list' })])
      expect(() => new Progress(wrong)).toThrow(DTypeError)
  })
})
