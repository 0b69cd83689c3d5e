import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RemoteError } from '@shoal/distributed/peers'
import { expect, it } from 'vitest'
import { EventLog } from '../history/eventLog.ts'
import { Copies } from './copies.ts'
import type { Nodes } from './ports.ts'
import type { JobRecord } from './record.ts'
import { Replica } from './replica.ts'

it('a write that is under way when a keeper knows of a later leader is not answered', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-copies-'))
  const openLog = (path: string) => EventLog.open(path, { log: () => {} })
  const replica = await Replica.open(folder, 'j-000000000000', openLog)
  try {
    const nodes = {
      self: { nodeId: 'a', role: 'manager' },
      present: () => [{ nodeId: 'a' }, { nodeId: 'b' }],
      call: async (_node: string, { name }: { readonly name: string }) => {
        if (name === 'jobs.compareEvents') return { says: { events: 0, digest: await replica.digest(0) } }
        throw new RemoteError(name, 'NotLeaderError', "'b' leads in term 2")
      },
    } as unknown as Nodes
    const record = { id: 'j-000000000000', term: 1, leader: 'a', keepers: ['a', 'b'] } as unknown as JobRecord
    const copies: Copies = new Copies({
      replica,
      nodes,
      record: () => record,
      superseded: () => copies.close(),
    })
    const entry = { key: 'study', version: 2 ** 32 + 1, value: 'only here' }
    await expect(copies.keep([entry])).rejects.toThrow('leads job j-000000000000 no more')
  } finally {
    await replica[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
})
