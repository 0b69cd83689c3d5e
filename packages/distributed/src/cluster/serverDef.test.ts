import { ValueError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { ClusterError } from './clusterError.ts'
import type { ServerOptions } from './serverDef.ts'
import { ServerDef } from './serverDef.ts'

const cluster = { ps: ['p0:1'], worker: ['w0:1', 'w1:1'] }

describe('ServerDef', () => {
  it('says which task of the cluster a server is', () => {
    const server = new ServerDef({ cluster, job: 'worker', task: 1 })
    expect([server.name, server.address, server.isChief]).toEqual(['/job:worker/task:1', 'w1:1', false])
    expect(new ServerDef({ cluster, job: 'worker', task: 0 }).isChief).toBe(true)
    expect(new ServerDef({ cluster: { ...cluster, chief: ['c:1'] }, job: 'worker', task: 0 }).isChief).toBe(
      false,
    )
  })

  it('is the same when it was written and read again', () => {
    const session = { seed: 3, softPlacement: false, deviceFilters: ['/job:ps'] }
    const server = new ServerDef({ cluster: { worker: { 4: 'w4:1' } }, job: 'worker', task: 4, session })
    const read = new ServerDef(JSON.parse(JSON.stringify(server)) as ServerOptions)
    expect(read).toEqual(server)
    expect(read.cluster.equals(server.cluster)).toBe(true)
  })

  it('lets an evaluator stand beside the cluster, and nobody else', () => {
    const evaluator = new ServerDef({ cluster, job: 'evaluator', task: 0 })
    expect([evaluator.address, evaluator.isChief]).toEqual([undefined, false])
    expect(() => new ServerDef({ cluster, job: 'worker', task: 2 })).toThrow(
      'there is no /job:worker/task:2 in the cluster: it has ps (0), worker (0, 1)',
    )
    expect(() => new ServerDef({ cluster, job: 'evaluator', task: -1 })).toThrow(ClusterError)
  })

  it('checks the options of its sessions', () => {
    const make = (session: object) => () => new ServerDef({ cluster, job: 'ps', task: 0, session })
    expect(make({ sead: 1 })).toThrow("there is no 'sead'")
    expect(make({ seed: 1.5 })).toThrow(ValueError)
    expect(make({ deviceFilters: ['job:ps'] })).toThrow("'job:ps' is not a device name")
  })
})
