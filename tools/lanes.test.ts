// Tasks beside each other: how many, and in which order their answers come.
import { describe, expect, it } from 'vitest'
import { inLanes } from './check/lanes.ts'

/** Tasks that end when they are told to, and a record of which have begun. */
function controlled(count: number) {
  const ends = Array.from({ length: count }, () => Promise.withResolvers<number>())
  const begun: number[] = []
  const tasks = ends.map(({ promise }, i) => () => {
    begun.push(i)
    return promise
  })
  return {
    begun,
    tasks,
    end: (i: number) => ends[i]!.resolve(i),
    fail: (i: number) => ends[i]!.reject(new Error(`${i}`)),
  }
}

async function all<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const answer of answers) found.push(answer)
  return found
}

/** Lets everything happen that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('inLanes', () => {
  it('answers in the order of the tasks, however they end', async () => {
    const { tasks, end } = controlled(3)
    const answers = all(inLanes(tasks, 3))
    for (const i of [2, 0, 1]) end(i)
    expect(await answers).toEqual([0, 1, 2])
  })

  it('begins a task when a lane is free, and not before', async () => {
    const { begun, tasks, end } = controlled(4)
    const answers = all(inLanes(tasks, 2))
    await settle()
    expect(begun).toEqual([0, 1])
    end(1)
    await settle()
    expect(begun).toEqual([0, 1, 2])
    for (const i of [0, 2, 3]) end(i)
    expect(await answers).toEqual([0, 1, 2, 3])
  })

  it('answers nothing for no tasks', async () => {
    expect(await all(inLanes([], 2))).toEqual([])
  })

  it('throws what a task throws', async () => {
    const { tasks, end, fail } = controlled(2)
    const answers = all(inLanes(tasks, 2))
    end(0)
    fail(1)
    await expect(answers).rejects.toThrow('1')
  })
})
