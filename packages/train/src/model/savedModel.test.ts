// What becomes a model, and what does not.
import {
  add,
  caseOf,
  constant,
  controlDependencies,
  device,
  dropout,
  fifoQueue,
  matmul,
  mul,
  placeholder,
  Session,
  toposort,
  UninitializedError,
  variable,
} from '@shoal/core'
import type { Tensor } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { ModelError } from './errors.ts'
import { encodeModel, loadModel } from './modelFile.ts'
import { predictor } from './predictor.ts'
import { captureModel } from './savedModel.ts'

/** A session in which the variables of a tensor have their initial values. */
async function started(...tensors: readonly Tensor[]): Promise<Session> {
  const session = new Session()
  await session.initialize(tensors)
  return session
}

describe('a captured model', () => {
  it('keeps the values of its moment, and only what its outputs need', async () => {
    const x = placeholder({ shape: ['batch', 2], name: 'x' })
    const w = variable([[1], [2]], { name: 'w' })
    const other = variable(7, { name: 'other' })
    const y = matmul(x, w)
    const change = w.assign([[10], [20]])
    await using session = await started(y, other.read())
    const model = await captureModel({ session, outputs: { y }, metadata: { note: 'before' } })
    await session.run(change)
    expect([...model.values.keys()]).toEqual(['w'])
    expect(model.metadata).toEqual({ note: 'before' })
    expect(model.signature).toEqual({
      inputs: { x: { dtype: 'float32', shape: ['batch', 2] } },
      outputs: { y: { dtype: 'float32', shape: ['batch', 1] } },
    })
    await using ready = await predictor(model)
    expect((await ready.predict({ x: [[1, 1]] }))['y']!.toArray()).toEqual([[3]])
  })

  it('wishes for no device, whatever the graph wished for in training', async () => {
    const y = device('/job:ps/task:3', () =>
      mul(placeholder({ shape: [], name: 'x' }), variable(2, { name: 'w' })),
    )
    await using session = await started(y)
    const { outputs, variables } = await captureModel({ session, outputs: { y } })
    const nodes = toposort({ fetches: Object.values(outputs), targets: [] })
    expect(nodes.map((node) => node.device)).toEqual(nodes.map(() => ''))
    expect(variables.map(({ resource }) => resource.initial)).toEqual([undefined])
  })

  it('takes the variables of branches along', async () => {
    const which = placeholder({ shape: [], dtype: 'int32', name: 'which' })
    const [low, high] = [variable(1, { name: 'low' }), variable(2, { name: 'high' })]
    const y = caseOf(which, [() => low.read(), () => mul(high, high)])
    await using session = await started(y)
    const model = loadModel(encodeModel(await captureModel({ session, outputs: { y } })))
    expect([...model.values.keys()].sort()).toEqual(['high', 'low'])
    await using ready = await predictor(model)
    expect((await ready.predict({ which: 1 }))['y']!.item()).toBe(4)
  })

  it('has the names that inputs are given, whatever else is called so', async () => {
    const [a, b] = [placeholder({ shape: [], name: 'x' }), placeholder({ shape: [], name: 'x' })]
    const y = add(mul(a, constant(2, 'float32')), b)
    await using session = new Session()
    await expect(captureModel({ session, outputs: { y } })).rejects.toThrow("two placeholders are named 'x'")
    const model = loadModel(encodeModel(await captureModel({ session, outputs: { y }, inputs: { x: b, a } })))
    await using ready = await predictor(model)
    expect((await ready.predict({ x: 1, a: 10 }))['y']!.item()).toBe(21)
  })

  it('selects outputs, with what these need', async () => {
    const [a, b] = [placeholder({ shape: [], name: 'a' }), placeholder({ shape: [], name: 'b' })]
    const outputs = { u: mul(a, variable(2, { name: 'v' })), w: mul(b, variable(3, { name: 'w' })) }
    await using session = await started(outputs.u, outputs.w)
    const model = (await captureModel({ session, outputs })).select('w')
    expect([Object.keys(model.inputs), [...model.values.keys()]]).toEqual([['b'], ['w']])
    expect(() => model.select('u')).toThrow("there is no output 'u': the model has w")
  })
})

describe('what is no model', () => {
  const x = placeholder({ shape: [2], name: 'x' })
  const w = variable(1, { name: 'w' })
  const queue = fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 1, name: 'line' })
  it.each([
    ['dropout', { y: dropout(x, { rate: 0.5 }) }, /need the random stream/],
    ['a queue', { y: queue.dequeue()[0]! }, "need the queue 'line'"],
    ['an assignment', { y: add(x, w.assign(2)) }, "AssignVariable 'w/assign' changes variable 'w'"],
    [
      'one that is only waited for',
      { y: controlDependencies([w.assign(2)], () => mul(x, 2)) },
      "changes variable 'w'",
    ],
    ['nothing', {}, 'at least one output'],
  ])('%s', async (_, outputs: Record<string, Tensor>, message) => {
    await using session = await started(w.read())
    const captured = captureModel({ session, outputs })
    await expect(captured).rejects.toThrow(ModelError)
    await expect(captured).rejects.toThrow(message)
  })

  it('one whose inputs are not those that it needs', async () => {
    const y = mul(x, 2)
    await using session = new Session()
    const other = placeholder({ shape: [], name: 'other' })
    await expect(captureModel({ session, outputs: { y }, inputs: {} })).rejects.toThrow(
      "the outputs need Placeholder 'x', which is not among the inputs",
    )
    await expect(captureModel({ session, outputs: { y }, inputs: { x, other } })).rejects.toThrow(
      "input 'other' is no placeholder that the outputs need",
    )
    await expect(captureModel({ session, outputs: { y }, inputs: { x, again: x } })).rejects.toThrow(
      'two inputs are the same placeholder',
    )
  })

  it('one whose variables have no values', async () => {
    await using session = new Session()
    await expect(captureModel({ session, outputs: { y: mul(x, w) } })).rejects.toThrow(UninitializedError)
  })
})
