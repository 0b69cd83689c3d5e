import { describe, expect, it } from 'vitest'
import type { ClusterDef } from './clusterSpec.ts'
import { chiefOf, ClusterSpec } from './clusterSpec.ts'
import { ClusterError } from './clusterError.ts'

const dense = { ps: ['ps0:2222', 'ps1:2222'], worker: ['w0:2222', 'w1:2222', 'w2:2222'] }
const sparse = { worker: { 10: 'w10:2222', 3: 'w3:2222' }, ps: ['ps0:2222'] }

describe('ClusterSpec', () => {
  it('knows jobs, tasks and addresses', () => {
    const cluster = new ClusterSpec(dense)
    expect(cluster.jobs).toEqual(['ps', 'worker'])
    expect(cluster.tasksOf('worker')).toEqual([0, 1, 2])
    expect([cluster.taskCount('ps'), cluster.taskCount('chief')]).toEqual([2, 0])
    expect(cluster.addressOf('worker', 1)).toBe('w1:2222')
    expect([cluster.has('ps', 1), cluster.has('ps', 2)]).toEqual([true, false])
  })

  it('keeps the numbers of tasks where some are missing, in ascending order', () => {
    const cluster = new ClusterSpec(sparse)
    expect(cluster.tasksOf('worker')).toEqual([3, 10])
    expect(cluster.addressOf('worker', 10)).toBe('w10:2222')
    expect(cluster.entries().at(-1)).toEqual({ job: 'ps', task: 0, address: 'ps0:2222' })
  })

  it('is written as it is read: lists without gaps, maps with them', () => {
    for (const def of [dense, sparse, {}] as ClusterDef[]) {
      const cluster = new ClusterSpec(def)
      const written = JSON.stringify(cluster)
      expect(JSON.parse(written)).toEqual(def)
      expect(new ClusterSpec(JSON.parse(written) as ClusterDef).equals(cluster)).toBe(true)
    }
    expect(new ClusterSpec({ worker: { 1: 'b:1', 0: 'a:1' }, ps: [] }).toJSON()).toEqual({
      worker: ['a:1', 'b:1'],
    })
    expect(new ClusterSpec({ constructor: { 1: 'b:1' } }).merge(new ClusterSpec({})).toJSON()).toEqual({
      constructor: { 1: 'b:1' },
    })
  })

  it('is equal to one with the same tasks, in whatever order', () => {
    const cluster = new ClusterSpec(dense)
    expect(
      cluster.equals(new ClusterSpec({ worker: dense.worker, ps: { 1: 'ps1:2222', 0: 'ps0:2222' } })),
    ).toBe(true)
    expect(cluster.equals(new ClusterSpec({ ...dense, ps: ['ps0:2222'] }))).toBe(false)
    expect(cluster.equals(new ClusterSpec({ ...dense, ps: ['ps0:2222', 'ps2:2222'] }))).toBe(false)
  })

  it('takes up the tasks of another, unless they disagree', () => {
    const merged = new ClusterSpec(sparse).merge(new ClusterSpec({ worker: { 0: 'w0:2222', 3: 'w3:2222' } }))
    expect(merged.toJSON()).toEqual({
      worker: { 0: 'w0:2222', 3: 'w3:2222', 10: 'w10:2222' },
      ps: ['ps0:2222'],
    })
    expect(() => merged.merge(new ClusterSpec({ worker: { 3: 'other:1' } }))).toThrow(
      "/job:worker/task:3 is at 'w3:2222' in one cluster and at 'other:1' in the other",
    )
    expect(() => merged.merge(new ClusterSpec({ chief: ['w0:2222'] }))).toThrow(
      "/job:worker/task:0 and /job:chief/task:0 are both at 'w0:2222'",
    )
  })

  it('names the tasks that there are when asked for another', () => {
    expect(() => new ClusterSpec(sparse).addressOf('worker', 4)).toThrow(
      'there is no /job:worker/task:4 in the cluster: it has worker (3, 10), ps (0)',
    )
    expect(() => new ClusterSpec({}).addressOf('ps', 0)).toThrow('it has no tasks')
  })

  it('refuses what is no cluster, and says where', () => {
    const refused: [unknown, string][] = [
      [
        'ps0:2222',
        "a cluster is an object with a list of addresses for each job, { worker: ['host:2222'] }, got 'ps0:2222'",
      ],
      [['a:1'], 'a cluster is an object'],
      [{ ps: 'a:1' }, "job 'ps' is a list of addresses, or an object"],
      [{ '0ps': ['a:1'] }, "job '0ps': a name begins with a letter"],
      [{ ps: { first: 'a:1' } }, "job 'ps' has a task 'first': tasks are numbered 0, 1, 2"],
      [{ ps: { '-1': 'a:1' } }, "has a task '-1'"],
      [{ ps: { '01': 'a:1' } }, "has a task '01'"],
      [{ ps: { 2147483648: 'a:1' } }, "has a task '2147483648'"],
      [{ ps: ['a:1', 'b'] }, "the address of /job:ps/task:1 is 'host:port' or '[v6]:port', got 'b'"],
      [{ ps: ['a:65536'] }, "got 'a:65536'"],
      [{ ps: ['a b:1'] }, "got 'a b:1'"],
      [{ ps: [2222] }, 'got 2222'],
      [{ ps: ['a:1'], worker: ['a:1'] }, "/job:ps/task:0 and /job:worker/task:0 are both at 'a:1'"],
    ]
    for (const [jobs, message] of refused) {
      expect(() => new ClusterSpec(jobs as ClusterDef)).toThrow(ClusterError)
      expect(() => new ClusterSpec(jobs as ClusterDef)).toThrow(message)
    }
  })

  it('takes addresses of IPv6, and port 0 as often as wanted', () => {
    expect(new ClusterSpec({ ps: ['[::1]:2222', '[::1]:2223'] }).addressOf('ps', 1)).toBe('[::1]:2223')
    expect(new ClusterSpec({ ps: ['localhost:0', 'localhost:0'] }).taskCount('ps')).toBe(2)
  })
})

describe('the chief', () => {
  it('is the task of job chief, or master, or worker 0', () => {
    const chief = { chief: ['c:1'] }
    const master = { master: ['m:1'] }
    expect(chiefOf(new ClusterSpec({ ...dense, ...master, ...chief }))?.job).toBe('chief')
    expect(chiefOf(new ClusterSpec({ ...dense, ...master }))?.job).toBe('master')
    expect(chiefOf(new ClusterSpec(dense))).toEqual({ job: 'worker', task: 0, address: 'w0:2222' })
    expect(chiefOf(new ClusterSpec(sparse))).toBeUndefined()
    expect(chiefOf(new ClusterSpec({ ps: ['p:1'] }))).toBeUndefined()
    expect(chiefOf(new ClusterSpec({ localhost: ['localhost:0'] }))?.job).toBe('localhost')
  })
})
