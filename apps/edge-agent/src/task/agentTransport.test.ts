import { type PairOptions, transportSuite } from '@shoal/conformance/transports'
import type { Connection } from '@shoal/distributed/peers'
import { describe, expect, it } from 'vitest'
import { AgentTransport } from './agentTransport.ts'
import { MemoryJob } from './testing/memoryJob.ts'

const deadlineMs = 20_000

/** Two tasks of a job, the first of which listens. */
function twoTasks({ servedBytes }: PairOptions = {}) {
  const job = new MemoryJob({ cluster: { worker: 2 } })
  const ports = [job.task(0), job.task(1)] as const
  const options = servedBytes === undefined ? {} : { frames: { servedBytes } }
  const [listening, dialling] = ports.map((port) => new AgentTransport(port, options))
  return { job, ports, listening: listening!, dialling: dialling! }
}

transportSuite('through agents', async (options) => {
  const { ports, listening, dialling } = twoTasks(options)
  const accepted = Promise.withResolvers<Connection>()
  await listening.listen('worker:0', { connected: accepted.resolve })
  const near = await dialling.connect('worker:0', { deadlineMs })
  return { near, far: await accepted.promise, kill: () => ports[1].kill() }
})

describe('the transport of a task', () => {
  it('knows the others by what the agents say', async () => {
    const { listening, dialling } = twoTasks()
    const accepted = Promise.withResolvers<Connection>()
    await listening.listen('worker:0', { connected: accepted.resolve })
    const near = await dialling.connect('worker:0', { deadlineMs })
    const far = await accepted.promise
    const cluster = 'j-000000000000'
    expect(near.peer).toEqual({ cluster, node: 'worker:0', role: 'worker' })
    expect(far.peer).toEqual({ cluster, node: 'worker:1', role: 'worker' })
    await near.close()
  })

  it('takes streams that came before it listened', async () => {
    const { listening, dialling } = twoTasks()
    const dialled = dialling.connect('worker:0', { deadlineMs })
    const accepted = Promise.withResolvers<Connection>()
    await listening.listen('worker:0', { connected: accepted.resolve })
    await (await dialled).close()
    expect((await accepted.promise).peer.node).toBe('worker:1')
  })

  it('listens as itself, once at a time', async () => {
    const { listening } = twoTasks()
    await expect(listening.listen('worker:1', { connected: () => {} })).rejects.toThrow(
      "'worker:0' cannot listen as 'worker:1'",
    )
    const first = await listening.listen('worker:0', { connected: () => {} })
    await expect(listening.listen('worker:0', { connected: () => {} })).rejects.toThrow("'worker:0' is taken")
    await first.close()
    await (await listening.listen('worker:0', { connected: () => {} })).close()
  })

  it('says who cannot be reached, and gives up when it is to', async () => {
    const { dialling, listening, ports } = twoTasks()
    await expect(dialling.connect('worker:7', { deadlineMs })).rejects.toThrow(
      'worker:7 cannot be reached: worker:7 is not there',
    )
    const control = new AbortController()
    const { signal } = control
    // Nobody listens there: the stream waits for somebody who does.
    const waiting = dialling.connect('worker:0', { deadlineMs, signal })
    control.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('connecting to worker:0 was withdrawn: enough')
    // One that is dead is silent; the attempt ends by its deadline.
    await listening.listen('worker:0', { connected: () => {} })
    ports[1].kill()
    await expect(dialling.connect('worker:0', { deadlineMs: 20 })).rejects.toThrow('not done within 20 ms')
  })

  it('refuses streams while nobody listens any more', async () => {
    const { listening, dialling } = twoTasks()
    await (await listening.listen('worker:0', { connected: () => {} })).close()
    await expect(dialling.connect('worker:0', { deadlineMs })).rejects.toThrow('does not answer as a peer')
  })
})
