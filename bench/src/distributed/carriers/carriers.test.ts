import { beforeAll, describe, expect, it } from 'vitest'
import { ClusterAuthority, type NodeCredentials } from '@shoal/distributed/node'
import type { Carrier } from '../carrier.ts'
import { targetBytes } from '../carrier.ts'
import { carriers } from './all.ts'

describe('everybody who carries bytes', () => {
  let credentials: NodeCredentials
  beforeAll(async () => {
    credentials = await (await ClusterAuthority.create()).issue({ node: 'bench' })
  })

  const fetched = 300_000
  const titled = carriers.map((carrier) => [`${carrier.name}, ${carrier.link}`, carrier] as const)
  /** Whose bytes come to lie where they are wanted; of the others they are lent. */
  const places = ({ name }: Carrier): boolean => ['bare, copied', 'shoal', 'shoal, WebSocket'].includes(name)

  it.each(titled)('%s: answers, fetches and brings', async (_, carrier) => {
    const served = await carrier.serve?.(credentials)
    const caller = await carrier.connect(served?.address ?? '', credentials)
    await caller.echo()
    targetBytes(fetched).fill(2)
    for (const bytes of [4, fetched]) await caller.pull(bytes)
    expect(targetBytes(fetched).every((byte) => byte === (places(carrier) ? 1 : 2))).toBe(true)
    for (const bytes of [4, fetched]) await caller.push(bytes)
    await caller.echo()
    await caller.close()
  })
})
