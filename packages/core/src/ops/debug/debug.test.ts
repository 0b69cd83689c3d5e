// Debugging ops: what they say, and how a run fails through them.
import { describe, expect, it } from 'vitest'
import { DTypeError, NonFiniteError, RunError } from '../../errors.ts'
import { ndarray } from '../../ndarray.ts'
import { Session } from '../../run/session.ts'
import { constant } from '../constant.ts'
import { log } from '../math/log.ts'
import { add } from '../math/add.ts'
import { assertThat } from './assertThat.ts'
import { checkNumerics } from './checkNumerics.ts'
import { hostFunction } from './hostFunction.ts'
import { print } from './print.ts'

describe('print', () => {
  it('writes one line a run, with the first elements', async () => {
    const lines: string[] = []
    const session = new Session({ log: (line) => lines.push(line) })
    const x = print(
      constant([
        [1, 2],
        [3, 4],
      ]),
      { message: 'x' },
    )
    await session.run(add(x, x))
    await session.run(print(constant(['a', 'b', 'c']), { first: 2 }))
    expect(lines).toEqual(['x: float32[2, 2] [[1, 2], [3, 4]]', 'string[3] ["a", "b"] and 1 more'])
  })
})

describe('assertThat', () => {
  it('fails the run with its message and data; the session goes on', async () => {
    const session = new Session()
    const failing = session.run(assertThat(constant([true, false]), 'sizes must agree', [constant([3, 4])]))
    await expect(failing).rejects.toThrow(RunError)
    await expect(failing).rejects.toThrow('sizes must agree; float32[2] 3, 4')
    await session.run(assertThat(constant(true), 'holds'))
  })
  it('takes conditions only', () => {
    expect(() => assertThat(constant(1), 'no condition')).toThrow(DTypeError)
  })
})

describe('checkNumerics', () => {
  it('names the node and the element', async () => {
    const y = log(constant([1, 0]), { name: 'loss' })
    const run = new Session().run(checkNumerics(y))
    await expect(run).rejects.toThrow(NonFiniteError)
    await expect(run).rejects.toThrow("'loss' (Log) is not finite: element 1 (row-major) is -Infinity")
  })
})

describe('hostFunction', () => {
  const types = [{ dtype: 'float32', shape: ['?'] }] as const
  it('calls JavaScript on host values', async () => {
    const [y] = hostFunction(
      [constant([1, 2, 3])],
      async ([x]) => [ndarray(x!.numbers().filter((v) => v > 1))],
      { types },
    )
    expect((await new Session().run(add(y!, 1))).toArray()).toEqual([3, 4])
  })
  it('is held to the types that were promised', async () => {
    const [y] = hostFunction([constant(1)], () => [ndarray([1n])], { types })
    await expect(new Session().run(y!)).rejects.toThrow(DTypeError)
  })
})
