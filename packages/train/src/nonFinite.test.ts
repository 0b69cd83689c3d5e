import {
  add,
  constant,
  div,
  log,
  mul,
  NonFiniteError,
  placeholder,
  Session,
  sum,
  ValueError,
  variable,
} from '@shoal/core'
import { Dataset } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import { stopOnNonFinite } from './hooks/stopOnNonFinite.ts'
import { findNonFinite } from './nonFinite.ts'
import { gradientDescent } from './optimizers/gradientDescent.ts'
import { train } from './train.ts'
import { allVariables } from './variables.ts'

describe('values that are not finite', () => {
  /** sum(log(w · x)): -Infinity for x = 0, NaN for x < 0. */
  function fragile() {
    const w = variable([1, 2], { name: 'w' })
    const x = placeholder({ shape: [], name: 'x' })
    const loss = sum(add(log(mul(w, x)), constant([0, 0])))
    const step = gradientDescent({ learningRate: 0.1 }).minimize(loss)
    return { w, x, loss, step }
  }

  it('are traced to the node that made them', async () => {
    await using session = new Session()
    const { loss, step, x } = fragile()
    await session.initialize(step)
    expect(await findNonFinite(session, [loss, step], { x: 1 })).toBeUndefined()
    const found = await findNonFinite(session, [loss], { x: 0 })
    expect(found).toMatchObject({ value: Number.NEGATIVE_INFINITY, element: 0 })
    expect(found!.tensor.node.op.name).toBe('Log')
    expect(found!.message).toMatch(/^Log 'log' has -Infinity as element 0; its inputs \('mul'\) are finite$/)
    expect((await findNonFinite(session, [loss], [[x, Number.NaN]]))!.message).toBe(
      "Placeholder 'x' has NaN as element 0; it was fed so",
    )
  })

  it('pass constants and what is fed over', async () => {
    await using session = new Session()
    const never = placeholder({ shape: [], name: 'never' })
    const inner = log(never)
    const masked = add(inner, constant([0, Number.NEGATIVE_INFINITY]))
    expect((await findNonFinite(session, [div(1, masked)], [[inner, 1]]))!.tensor).toBe(masked)
  })

  it('are looked for in lists, and in nothing else', async () => {
    await using session = new Session()
    const { loss, step } = fragile()
    await expect(findNonFinite(session, loss as never, { x: 1 })).rejects.toThrow('[loss, step]')
    await expect(findNonFinite(session, { loss } as never, { x: 1 })).rejects.toThrow(ValueError)
    for (const find of [
      true,
      [loss],
      { fetches: [loss] },
      { variables: allVariables(step), fetches: { loss } },
    ])
      expect(() => stopOnNonFinite({ find: find as never })).toThrow('{ variables: allVariables(step)')
  })

  it('end training, with the name of what is wrong', async () => {
    await using session = new Session()
    const { loss, step } = fragile()
    await session.initialize(step)
    const options = {
      session,
      step,
      fetches: { loss },
      data: Dataset.from([1, 2, -1, 3]),
      feed: (x: number) => ({ x }),
      epochs: 1,
    }
    const attempt = train({ ...options, hooks: [stopOnNonFinite()] })
    await expect(attempt).rejects.toThrow(NonFiniteError)
    await expect(attempt).rejects.toThrow("'loss' is NaN in step 3")
  })

  it('end training, with the node that made them and the variables as they were', async () => {
    await using session = new Session()
    const { w, loss, step } = fragile()
    await session.initialize(step)
    const find = { variables: allVariables(step), fetches: [loss, step] }
    const options = {
      session,
      step,
      fetches: { loss },
      data: Dataset.from([1, -1]),
      feed: (x: number) => ({ x }),
      epochs: 1,
    }
    const attempt = train({ ...options, hooks: [stopOnNonFinite({ find })] })
    await expect(attempt).rejects.toThrow(
      "'loss' is NaN in step 2: Log 'log' has NaN as element 0; its inputs ('mul') are finite",
    )
    expect((await session.run(w)).numbers()).toEqual([expect.closeTo(0.9), expect.closeTo(1.95)])
  })
})
