// Servers as processes have them: each learns from signs of life who of the cluster is there, dead, or started anew.
import { reference } from '@shoal/core'
import { afterEach, describe, expect, it } from 'vitest'
import { ServerDef } from '../cluster/serverDef.ts'
import { ClusterAuthority } from '../security/authority.ts'
import { freeAddresses } from '../testing/freeAddresses.ts'
import type { Server } from './server.ts'
import { startServer } from './startServer.ts'

const servers: Server[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())))

const heartbeat = { everyMs: 50, suspectAfterMs: 150, deadAfterMs: 300 }

/** Settles when a server has learnt something of who lives. */
const learns = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const stop = server.liveness.onChange!(() => {
      stop()
      resolve()
    })
  })

/** Waits until `holds` does; it may begin to whenever a server learns something. */
async function until(server: Server, holds: () => boolean): Promise<void> {
  while (!holds()) await learns(server)
}

describe('startServer', () => {
  it('knows who of the cluster is gone, and who came back', async () => {
    const [first, second] = await freeAddresses(2)
    const cluster = { worker: [first!, second!] }
    const authority = await ClusterAuthority.create()
    const lines: string[] = []
    const start = async (task: number): Promise<Server> => {
      const credentials = await authority.issue({ node: `worker-${task}`, role: 'worker' })
      const server = await startServer(new ServerDef({ cluster, job: 'worker', task }), {
        devices: [reference()],
        credentials,
        heartbeat,
        // Where a machine resolves its own name to itself alone, this is how others reach it.
        host: '0.0.0.0',
        log: (line) => task === 0 && lines.push(line),
      })
      servers.push(server)
      return server
    }
    const watching = await start(0)
    const other = { job: 'worker', task: 1 }
    expect(watching.liveness.isAlive(other)).toBe(true)
    const heard = learns(watching)
    const watched = await start(1)
    await heard
    expect(lines).toEqual([])
    await watched.close()
    await until(watching, () => !watching.liveness.isAlive(other))
    // Its farewell and the port that refuses are two proofs, whichever comes first.
    expect(lines.at(-1)).toMatch(/^\/job:worker\/task:0: \/job:worker\/task:1 is gone: /)
    await start(1)
    await until(watching, () => watching.liveness.isAlive(other))
    expect(watching.liveness.isAlive(other)).toBe(true)
  })
})
