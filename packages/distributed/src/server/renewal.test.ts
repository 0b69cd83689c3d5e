// What becomes of sessions when a certificate ends.
import { device, fifoQueue, reference, variable } from '@shoal/core'
import { afterAll, expect, it } from 'vitest'
import { ServerDef } from '../cluster/serverDef.ts'
import { UnavailableError } from '../errors.ts'
import { ClusterAuthority } from '../security/authority.ts'
import { RenewableCredentials } from '../security/renewable.ts'
import { freeAddresses } from '../testing/freeAddresses.ts'
import { SocketTransport } from '../transport/socket.ts'
import { Server } from './server.ts'

const open = new AsyncDisposableStack()
afterAll(() => open.disposeAsync())

it('a session is lost with the certificate that it was opened under, and another one finds all variables', async () => {
  const authority = await ClusterAuthority.create()
  const [ps, worker] = await freeAddresses(2)
  const cluster = { ps: [ps!], worker: [worker!] }
  const start = async (job: string) => {
    // Three or four seconds: certificates know no parts of a second.
    const soon = { from: new Date(Date.now() - 60_000), forMs: 64_000 }
    const credentials = new RenewableCredentials(await authority.issue({ node: job, role: job, ...soon }))
    const def = new ServerDef({ cluster, job, task: 0 })
    const transport = new SocketTransport({ credentials })
    const server = open.use(await Server.start(def, { devices: [reference()], transport }))
    return { server, renew: async () => credentials.renew(await authority.issue({ node: job, role: job })) }
  }
  const tasks = [await start('ps'), await start('worker')] as const
  const w = device('/job:ps/task:0', () => variable(0, { name: 'w' }))
  const queue = device('/job:ps/task:0', () =>
    fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 1, name: 'q' }),
  )
  const session = await tasks[1].server.session()
  await session.run(w.assign(5))
  for (const { renew } of tasks) await renew()

  const waiting = session.run(device('/job:ps/task:0', () => queue.dequeue()))
  await expect(waiting).rejects.toBeInstanceOf(UnavailableError)
  await expect(waiting).rejects.toThrow(/the certificate of (ps|worker) '(ps|worker)' has expired/)
  await session.close()
  await using next = await tasks[1].server.session()
  expect((await next.run(w)).number()).toBe(5)
})
