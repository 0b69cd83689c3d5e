import { describe, expect, it } from 'vitest'
import { UninitializedError } from '../errors.ts'
import { toposort } from '../graph/graph.ts'
import { printGraph } from '../graph/print.ts'
import { add, cond, constant, exp, greater, matmul, placeholder, sum, variable } from '../ops/index.ts'
import { freeze } from './freeze.ts'
import { variablesOf } from './initialize.ts'
import { Session } from './session.ts'
import { inspectProgram } from '../inspect/program.ts'

describe('freeze', () => {
  const x = placeholder({ shape: ['batch', 2], name: 'x' })
  const feeds = { x: [[1, 2]] }
  const layer = () => {
    const weights = variable([[1], [2]], { name: 'weights' })
    return { weights, y: add(matmul(x, exp(weights)), 1) }
  }

  it('keeps what variables hold, whatever becomes of them', async () => {
    const { weights, y } = layer()
    await using session = new Session()
    await session.initialize(y)
    await session.run(weights.assign([[0], [0]]))
    const { frozen } = await freeze({ frozen: y }, { session })
    await session.run(weights.assign([[9], [9]]))
    expect(variablesOf({ fetches: [frozen], targets: [] })).toEqual([])
    await using elsewhere = new Session()
    expect((await elsewhere.run(frozen, feeds)).toArray()).toEqual([[4]])
  })
  it('lets passes compute in advance what no feed changes', async () => {
    const { y } = layer()
    await using session = new Session({ fusion: false })
    await session.initialize(y)
    const stepsOf = async (t: typeof y): Promise<number> =>
      inspectProgram((await session.programs(t, feeds))[0]!).steps.filter(({ launches }) => launches > 0)
        .length
    expect([await stepsOf(y), await stepsOf(await freeze(y, { session }))]).toEqual([3, 2])
  })
  it('reaches into branches', async () => {
    const v = variable(3, { name: 'v' })
    const y = cond(
      greater(sum(x), 0),
      () => v.read(),
      () => constant(0),
    )
    await using session = new Session()
    await session.initialize(y)
    const frozen = await freeze(y, { session })
    expect(variablesOf({ fetches: [frozen], targets: [] })).toEqual([])
    expect((await session.run(frozen, feeds)).item()).toBe(3)
  })
  it('leaves variables that the model assigns', async () => {
    const count = variable(0, { name: 'count' })
    const { y } = layer()
    await using session = new Session()
    await session.initialize([y, count])
    const model = await freeze([y, count.assignAdd(1)], { session })
    expect(variablesOf({ fetches: model, targets: [] }).map(({ name }) => name)).toEqual(['count'])
    await session.run(model, feeds)
    expect((await session.run(count)).item()).toBe(1)
  })
  it('keeps the order of what it replaces', async () => {
    const [first, v] = [variable(0, { name: 'first' }), variable(1, { name: 'v' })]
    await using session = new Session()
    await session.initialize([first, v])
    const waited = first.assign(5)
    const late = add(v.read(), 0).node.with({ control: [waited.node] }).outputs[0]!
    const frozen = await freeze(late, { session })
    expect(toposort({ fetches: [frozen], targets: [] }).map((n) => n.op.name)).toContain('AssignVariable')
    expect(printGraph({ fetches: [frozen], targets: [] })).not.toContain('ReadVariable')
  })
  it('says which variable has no value yet', async () => {
    await using session = new Session()
    await expect(freeze(layer().y, { session })).rejects.toThrow(UninitializedError)
  })
})
