import { describe, expect, it } from 'vitest'
import { RemoteTarget } from '../client/remoteTarget.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import type { ClusterTarget } from './clusterTarget.ts'
import { MasterService } from './masterService.ts'

describe('a session that is being opened', () => {
  it('is nobody’s when its client has vanished, and is closed as soon as it is there', async () => {
    const opening = Promise.withResolvers<ClusterTarget>()
    const asked = Promise.withResolvers<AbortSignal>()
    const closed = Promise.withResolvers<void>()
    const master = new MasterService(({ signal }) => {
      asked.resolve(signal)
      return opening.promise
    })
    const network = new InProcessTransport({ cluster: 'test', node: 'w0', role: 'worker' })
    await network.listen('w:1', { connected: (connection) => connection.serve(master.methods(connection)) })
    const connection = await network.connect('w:1', {})
    const session = RemoteTarget.open(connection)
    const signal = await asked.promise
    await connection.close()
    await expect(session).rejects.toThrow('was closed here')
    expect(signal.aborted).toBe(true)
    const target = { [Symbol.asyncDispose]: async () => closed.resolve() }
    opening.resolve(target as Partial<ClusterTarget> as ClusterTarget)
    await closed.promise
  })
})
