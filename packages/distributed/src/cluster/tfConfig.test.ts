import { describe, expect, it } from 'vitest'
import { ClusterError } from './clusterError.ts'
import { readTfConfig } from './tfConfig.ts'

const read = (config: unknown) =>
  readTfConfig({ TF_CONFIG: typeof config === 'string' ? config : JSON.stringify(config) })
const cluster = {
  chief: ['job-chief-0.ns.svc:2222'],
  ps: ['job-ps-0.ns.svc:2222'],
  worker: ['job-worker-0.ns.svc:2222', 'job-worker-1.ns.svc:2222'],
}

describe('readTfConfig', () => {
  it('reads what TFJob writes', () => {
    const config = read({ cluster, task: { type: 'worker', index: 1 }, environment: 'cloud' })!
    expect(config.server.name).toBe('/job:worker/task:1')
    expect(config.server.address).toBe('job-worker-1.ns.svc:2222')
    expect(config.server.cluster.toJSON()).toEqual(cluster)
    expect(config.environment).toBe('cloud')
    expect(read({ cluster, task: { type: 'chief', index: 0 } })!.server.isChief).toBe(true)
  })

  it('reads an evaluator, which is in task and not in cluster', () => {
    const { server } = read({ cluster, task: { type: 'evaluator', index: 0 }, environment: 'cloud' })!
    expect([server.name, server.address, server.isChief]).toEqual(['/job:evaluator/task:0', undefined, false])
  })

  it('reads a dynamic worker, which knows the parameter servers and itself', () => {
    const { server } = read({
      sparseCluster: { worker: { '3': 'job-worker-3.ns.svc:2222' }, ps: cluster.ps },
      task: { type: 'worker', index: 3 },
    })!
    expect([server.name, server.address]).toEqual(['/job:worker/task:3', 'job-worker-3.ns.svc:2222'])
    expect(server.cluster.tasksOf('worker')).toEqual([3])
    // The others know only themselves, too: there would be as many chiefs as workers.
    expect(server.isChief).toBe(false)
    const ps = read({ sparseCluster: { worker: {}, ps: cluster.ps }, task: { type: 'ps', index: 0 } })!
    expect(ps.server.cluster.toJSON()).toEqual({ ps: cluster.ps })
    // Each parameter server is told its own address alone.
    const second = read({
      sparseCluster: { worker: {}, ps: ['job-ps-1.ns.svc:2222'] },
      task: { type: 'ps', index: 1 },
    })!
    expect([second.server.name, second.server.address]).toEqual(['/job:ps/task:1', 'job-ps-1.ns.svc:2222'])
    const alone = read({
      cluster: null,
      sparseCluster: { worker: { 0: 'w:1' }, ps: null },
      task: { type: 'worker', index: 0 },
    })!
    expect(alone.server.cluster.jobs).toEqual(['worker'])
  })

  it('reads what AI Platform writes: master, an index as text, the trial, and keys of its own', () => {
    const config = read({
      cluster: { master: ['127.0.0.1:2222'], worker: ['127.0.0.1:2223'] },
      task: { type: 'worker', index: '0', trial: '7', cloud: 'abc' },
      job: { scale_tier: 'CUSTOM' },
      environment: 'cloud',
      rpc_layer: 'grpc',
    })!
    expect([config.server.name, config.trial, config.server.isChief]).toEqual([
      '/job:worker/task:0',
      '7',
      false,
    ])
    const master = read({ cluster: { master: ['m:1'] }, task: { type: 'master', index: 0 } })!
    expect([master.server.isChief, master.environment, master.trial]).toEqual([true, 'local', undefined])
  })

  it('finds a process alone where the variable is missing or tells of no cluster', () => {
    expect(readTfConfig({})).toBeUndefined()
    for (const config of [
      '',
      ' ',
      {},
      { cluster: {} },
      { cluster: null },
      { cluster: { worker: [] } },
      { environment: 'cloud', task: { type: 'worker', index: 0 } },
    ])
      expect(read(config)).toBeUndefined()
  })

  it('names the key that is wrong', () => {
    const task = { type: 'worker', index: 0 }
    const refused: [unknown, string][] = [
      ['{cluster', 'TF_CONFIG is no JSON'],
      [[], 'TF_CONFIG must be an object, got []'],
      [{ cluster: 'a:1', task }, "TF_CONFIG.cluster must be an object, got 'a:1'"],
      [{ cluster: ['a:1'], task }, "TF_CONFIG.cluster must be an object, got ['a:1']"],
      [
        { cluster: { worker: ['a'] }, task },
        "TF_CONFIG.cluster: the address of /job:worker/task:0 is 'host:port'",
      ],
      [
        { sparseCluster: { worker: { x: 'a:1' } }, task },
        "TF_CONFIG.sparseCluster: job 'worker' has a task 'x'",
      ],
      [
        { cluster: { ...cluster, chief: ['a:1', 'b:1'] }, task },
        'TF_CONFIG.cluster has /job:chief/task:0 and /job:chief/task:1',
      ],
      [{ cluster: { ...cluster, master: ['a:1'] }, task }, 'there is one chief, or one master, at most'],
      [{ cluster }, 'TF_CONFIG.task is missing'],
      [{ cluster, task: null }, 'TF_CONFIG.task must be an object, got null'],
      [{ cluster, task: { index: 0 } }, 'TF_CONFIG.task.type is missing'],
      [
        { cluster, task: { type: 1, index: 0 } },
        'TF_CONFIG.task.type must be a string that is not empty, got 1',
      ],
      [{ cluster, task: { type: 'worker' } }, 'TF_CONFIG.task.index is missing'],
      [
        { cluster, task: { type: 'worker', index: '1.5' } },
        "TF_CONFIG.task.index must be a whole number from 0, got '1.5'",
      ],
      [
        { cluster, task: { type: 'worker', index: -1 } },
        'TF_CONFIG.task.index must be a whole number from 0, got -1',
      ],
      [
        { cluster, task: { type: 'worker', index: 2 } },
        'TF_CONFIG.task: there is no /job:worker/task:2 in the cluster',
      ],
      [{ cluster, task, environment: 3 }, 'TF_CONFIG.environment must be a string'],
    ]
    for (const [config, message] of refused) {
      expect(() => read(config), message).toThrow(ClusterError)
      expect(() => read(config), message).toThrow(message)
    }
  })
})
