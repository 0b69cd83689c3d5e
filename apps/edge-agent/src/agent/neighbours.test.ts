import { afterEach, describe, expect, it } from 'vitest'
import { callMethod, ClusterAuthority, SecurityError, SocketTransport } from '@shoal/distributed/peers'
import type { Inventory } from '../machine/inventory.ts'
import { Neighbours, type NeighboursOptions } from './neighbours.ts'
import { tell } from './news.ts'

const inventory: Inventory = {
  platform: 'linux',
  arch: 'arm64',
  nodeVersion: '26.10.0',
  cores: 4,
  memoryBytes: 2 ** 32,
  freeMemoryBytes: 2 ** 31,
  freeDiskBytes: 2 ** 36,
  devices: [],
  load: 0,
  links: {},
}
const authority = await ClusterAuthority.create()
const open: Neighbours[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
})

async function start(nodeId: string, peers: readonly string[], given: Partial<NeighboursOptions> = {}) {
  const neighbours = await Neighbours.open({
    self: { nodeId, clusterId: authority.cluster, role: 'manager' },
    credentials: await authority.issue({ node: nodeId, role: 'manager' }),
    address: '127.0.0.1:0',
    peers,
    multicast: false,
    admit: () => {},
    protocols: {},
    methods: () => ({}),
    news: () => ({ version: '1', inventory, taken: [], removed: [], jobs: [] }),
    log: () => {},
    ...given,
  })
  open.push(neighbours)
  return neighbours
}
const names = (of: Neighbours) => of.present.map(({ nodeId }) => nodeId).toSorted()
const states = (of: Neighbours) =>
  Object.fromEntries(of.views({ version: '1', inventory }).map(({ nodeId, state }) => [nodeId, state]))

describe('neighbours', () => {
  it('find each other through one that they know, and tell what they have', async () => {
    const a = await start('a', [])
    const b = await start('b', [a.address])
    const c = await start('c', [a.address])
    await expect
      .poll(() => [names(a), names(b), names(c)])
      .toEqual([
        ['b', 'c'],
        ['a', 'c'],
        ['a', 'b'],
      ])
    expect(b.get('c')?.news.inventory.cores).toBe(4)
    expect(states(b)).toEqual({ a: 'trusted', b: 'self', c: 'trusted' })
  })

  it('hear within a moment of what has changed', async () => {
    let cores = 4
    const news = () => ({
      version: '1',
      inventory: { ...inventory, cores },
      taken: [],
      removed: [],
      jobs: [],
    })
    const a = await start('a', [], { news })
    const b = await start('b', [a.address])
    await expect.poll(() => b.get('a')?.news.inventory.cores).toBe(4)
    cores = 2
    a.changed()
    await expect.poll(() => b.get('a')?.news.inventory.cores).toBe(2)
  })

  it('know who is lost, and are found again', async () => {
    const a = await start('a', [])
    const b = await start('b', [a.address])
    await expect.poll(() => names(a)).toEqual(['b'])
    const left = Promise.withResolvers<string>()
    a.subscribe((event) => {
      if (event.kind === 'left') left.resolve(event.nodeId)
    })
    await b[Symbol.asyncDispose]()
    expect(await left.promise).toBe('b')
    expect(states(a)['b']).toBe('lost')
    await start('b', [a.address])
    await expect.poll(() => states(a)['b']).toBe('trusted')
  })

  it('end the connections of one that was removed, and let it in no more', async () => {
    let removed = ''
    const a = await start('a', [], {
      admit: ({ node }) => {
        if (node === removed) throw new SecurityError(`'${node}' was removed`)
      },
    })
    const b = await start('b', [a.address])
    await expect.poll(() => names(b)).toEqual(['a'])
    removed = 'b'
    await a.expel('b')
    await expect.poll(() => [names(a), names(b)]).toEqual([[], []])
    await expect.poll(() => b.views({ version: '1', inventory })[1]?.problem).not.toBe('')
    expect(names(a)).toEqual([])
  })

  it('do not work with one that speaks another version, and say so', async () => {
    const said: string[] = []
    const a = await start('a', [], { log: (line) => said.push(line) })
    const transport = new SocketTransport({
      credentials: await authority.issue({ node: 'old', role: 'worker' }),
    })
    const connection = await transport.connect(a.address, { deadlineMs: 5000 })
    connection.serve({})
    await callMethod(connection, tell, { protocol: 0 }, { deadlineMs: 5000 })
    expect(names(a)).toEqual([])
    expect(said).toEqual([expect.stringContaining('speaks version 0 of the protocol, this node version 1')])
    const view = a.views({ version: '1', inventory }).find(({ nodeId }) => nodeId === 'old')
    expect(view).toMatchObject({
      state: 'reachable',
      problem: expect.stringContaining('update the older one'),
    })
    await connection.close()
  })
})
