import { parseDeviceName, ValueError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { ClusterSpec } from './clusterSpec.ts'
import { passesFilters, replicaFilters, visibleTasks } from './deviceFilters.ts'

const cluster = new ClusterSpec({ ps: ['p0:1', 'p1:1'], worker: ['w0:1', 'w1:1', 'w2:1'], chief: ['c:1'] })

describe('device filters', () => {
  it('let through what one of them fits, or everything where there are none', () => {
    const device = parseDeviceName('/job:worker/task:1/device:cpu:0')
    expect(passesFilters(['/job:ps', '/job:worker/task:1'], device)).toBe(true)
    expect(passesFilters(['/job:ps', '/job:worker/task:2'], device)).toBe(false)
    expect(passesFilters(['webgpu'], device)).toBe(false)
    expect(passesFilters([], device)).toBe(true)
  })

  it('leave the tasks that a session speaks to, its own always among them', () => {
    const own = { job: 'worker', task: 1 }
    expect(visibleTasks(cluster, ['/job:ps'], own).toJSON()).toEqual({
      ps: ['p0:1', 'p1:1'],
      worker: { 1: 'w1:1' },
    })
    expect(visibleTasks(cluster, ['/job:ps/task:1/device:cpu:0', '/job:chief'], own).entries()).toHaveLength(
      3,
    )
    expect(visibleTasks(cluster, [], own).equals(cluster)).toBe(true)
    // Any task may have a GPU.
    expect(visibleTasks(cluster, ['webgpu'], own).equals(cluster)).toBe(true)
    expect(() => visibleTasks(cluster, ['job:ps'], own)).toThrow(ValueError)
  })

  it('of a replica keep it from waiting for its siblings', () => {
    const seen = (job: string, task: number) =>
      visibleTasks(cluster, replicaFilters({ job, task }), { job, task })
    expect(seen('worker', 2).toJSON()).toEqual({ ps: ['p0:1', 'p1:1'], worker: { 2: 'w2:1' } })
    expect(seen('chief', 0).jobs).toEqual(['ps', 'chief'])
    expect(seen('ps', 0).equals(cluster)).toBe(true)
    expect(replicaFilters({ job: 'evaluator', task: 0 })).toEqual([])
  })
})
