import { describe, expect, it } from 'vitest'
import type { Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { controlDependencies } from '../graph/scope.ts'
import { assertThat, checkNumerics, identity, less, log, placeholder, print, variable } from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { removeDebug } from './debug.ts'

describe('removing checks', () => {
  const x = placeholder({ shape: [], name: 'x' })
  const safe = (t: Tensor): Tensor =>
    controlDependencies([assertThat(less(t, 10), 'too large')], () => print(checkNumerics(log(t), 'log')))

  it('runs what would have failed, and prints nothing', async () => {
    const lines: string[] = []
    await using strict = new Session()
    await expect(strict.run(safe(x), { x: 11 })).rejects.toThrow('too large')
    await using session = new Session({ passes: removeDebug, log: (line) => lines.push(line) })
    expect((await session.run(safe(x), { x: 11 })).item()).toBeCloseTo(Math.log(11))
    expect((await session.run(safe(x), { x: -1 })).item()).toBeNaN()
    expect(lines).toEqual([])
  })
  it('keeps what a check waited for, and effects that only it asked for', () => {
    const v = variable(0, { name: 'v' })
    const check = controlDependencies([v.assign(1)], () => assertThat(less(v.assignAdd(1), 10), 'too large'))
    const after = removeDebug.run({
      fetches: [controlDependencies([check], () => identity(x))],
      targets: [check],
    })
    const names = toposort(after).map((node) => node.op.name)
    expect(names.filter((name) => name === 'AssignVariable')).toHaveLength(2)
    expect(names).not.toContain('Assert')
    expect(after.targets.map((node) => node.op.name)).toEqual(['Group'])
  })
  it('answers the same graph when there are none', () => {
    const graph = { fetches: [log(x)], targets: [] }
    expect(removeDebug.run(graph) === graph).toBe(true)
  })
})
