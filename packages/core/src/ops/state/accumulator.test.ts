// Accumulators and progress between the runs of a session.
import { describe, expect, it } from 'vitest'
import { IndexedSlices } from '../../autodiff/indexedSlices.ts'
import { AttrError, DTypeError, NameError, RunError, ShapeError } from '../../errors.ts'
import { controlDependencies } from '../../graph/scope.ts'
import { fromGraphDef } from '../../graph/fromGraphDef.ts'
import { toGraphDef } from '../../graph/toGraphDef.ts'
import { Session } from '../../run/session.ts'
import { constant } from '../constant.ts'
import { accumulator } from './accumulator.ts'
import { progress } from './progress.ts'
import { variable } from './variable.ts'

const types = [{ dtype: 'float32', shape: [2] }] as const

describe('an accumulator', () => {
  it('averages what several runs gave it', async () => {
    await using session = new Session()
    const gathered = accumulator({ types, count: 2 })
    const [mean] = gathered.take()
    const taking = session.run(mean as ReturnType<typeof constant>)
    await session.run(gathered.apply([[1, 2]], { weight: 1 }))
    await session.run(gathered.apply([[5, 6]], { weight: 3 }))
    expect((await taking).toArray()).toEqual([4, 5])
    const late = session.run(gathered.apply([[9, 9]], { step: 0 }))
    expect((await late).item()).toBe(false)
    const status = await session.run(gathered.status())
    expect(Object.values(status).map((x) => x.item())).toEqual([1, 0, 2, 1])
  })

  it('gives rows that a variable takes', async () => {
    await using session = new Session()
    const table = variable([[1], [2], [3]], { name: 'table' })
    const gathered = accumulator({ types: [{ dtype: 'float32', shape: [3, 1], rows: 3 }], name: 'rows' })
    const slices = new IndexedSlices(constant([[4], [6]]), constant([2, 2], 'int32'), table.read())
    const given = gathered.apply([slices], { weight: 2 })
    const [mean] = controlDependencies([given], () => gathered.take())
    const { values, indices } = mean as IndexedSlices
    await session.initialize(table)
    expect((await session.run(table.scatterSub(indices, values))).toArray()).toEqual([[1], [2], [-7]])
  })

  it('gives a set back when the run that has it fails', async () => {
    await using session = new Session()
    const gathered = accumulator({ types, name: 'a' })
    await session.run(gathered.apply([[1, 2]]))
    const lease = gathered.lease(0)
    const foreign = controlDependencies([lease.taken], () => accumulator({ types, name: 'other' }).settle())
    await expect(session.run([lease.taken, foreign])).rejects.toThrow(RunError)
    const [mean] = controlDependencies([lease.taken], () => gathered.mean())
    const settled = controlDependencies([(mean as IndexedSlices['values']).node], () => gathered.settle())
    const answers = await session.run([lease.taken, mean as IndexedSlices['values'], settled])
    expect([answers[0].item(), answers[1].toArray()]).toEqual([true, [1, 2]])
    expect((await session.run(gathered.lease(0))).step.item()).toBe(1)
  })

  it('waits until its run is aborted', async () => {
    await using session = new Session()
    const gathered = accumulator({ types })
    const abort = new AbortController()
    const waiting = session.run(gathered.lease(0).step, undefined, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  it('is the same when it was written and read again, and another if it is declared otherwise', async () => {
    await using session = new Session()
    const spec = { types: [{ dtype: 'float32', shape: [4, 1], rows: 2 }], name: 'a', count: 3 } as const
    const first = accumulator(spec)
    const rows = new IndexedSlices(constant([[1]]), constant([2], 'int32'), constant([[0], [0], [0], [0]]))
    await session.run(first.apply([rows]))
    const again = fromGraphDef(toGraphDef({ gathered: first.status().gathered }))
    expect(again.resources.get('a')).toEqual(first.resource)
    expect((await session.run(again.fetches.get('gathered')!)).item()).toBe(1)
    for (const other of [
      { ...spec, count: 2 },
      { ...spec, types: [{ ...spec.types[0], rows: 3 }] },
    ])
      await expect(session.run(accumulator(other).status())).rejects.toThrow(NameError)
  })

  it('refuses what does not fit when the graph is built', () => {
    const gathered = accumulator({ types, name: 'a' })
    expect(() => gathered.apply([[1n, 2n]])).toThrow(DTypeError)
    expect(() => gathered.apply([[1, 2, 3]])).toThrow(ShapeError)
    expect(() => gathered.apply([])).toThrow('takes 1 tensors, got 0')
    expect(() => accumulator({ types, count: 0 })).toThrow(AttrError)
    expect(() => accumulator({ types: [{ dtype: 'int32', shape: [] }] })).toThrow(DTypeError)
    expect(() => accumulator({ types: [{ dtype: 'float32', shape: ['n'] }] })).toThrow(ShapeError)
    expect(() => accumulator({ types: [{ dtype: 'float32', shape: [], rows: 1 }] })).toThrow(AttrError)
  })
})

describe('progress', () => {
  it('holds a run up until the slower member has caught up', async () => {
    await using session = new Session()
    const steps = progress({ members: 2, name: 'steps' })
    const fast = session.run(steps.advance(0, 0))
    await session.run(steps.advance(1, 0))
    await fast
    await session.run(steps.setPresent([1]))
    await session.run(steps.advance(1, 0))
    const again = fromGraphDef(toGraphDef({ steps: steps.steps() }))
    expect((await session.run(again.fetches.get('steps')!)).toArray()).toEqual([1, 2])
    await expect(session.run(progress({ members: 3, name: 'steps' }).steps())).rejects.toThrow(NameError)
  })

  it('refuses what cannot be', () => {
    const steps = progress({ members: 2 })
    expect(() => steps.advance(2, 0)).toThrow('there is no member 2, only 0 to 1')
    expect(() => steps.advance(0, -1)).toThrow(AttrError)
    expect(() => progress({ members: 0 })).toThrow(AttrError)
  })
})
