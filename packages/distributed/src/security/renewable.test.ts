import { afterEach, describe, expect, it, vi } from 'vitest'
import { ClusterAuthority } from './authority.ts'
import { RenewableCredentials } from './renewable.ts'

const authority = await ClusterAuthority.create()
const first = await authority.issue({ node: 'n1', role: 'worker' })

afterEach(() => vi.useRealTimers())

describe('credentials that are renewed', () => {
  it('are those that were given last, and whoever wants to know is told', async () => {
    const credentials = new RenewableCredentials(first)
    expect(credentials.present).toBe(first)
    const told: unknown[] = []
    const forget = credentials.onRenewal((present) => told.push(present))
    const second = await authority.issue({ node: 'n1', role: 'worker' })
    credentials.renew(second)
    expect(credentials.present).toBe(second)
    forget()
    credentials.renew(first)
    expect(told).toEqual([second])
  })

  it('stay those of one node, with one role, in one cluster', async () => {
    const credentials = new RenewableCredentials(first)
    const other = await ClusterAuthority.create()
    const issued = [
      authority.issue({ node: 'n2', role: 'worker' }),
      authority.issue({ node: 'n1', role: 'ps' }),
      other.issue({ node: 'n1', role: 'worker' }),
    ]
    for (const next of await Promise.all(issued))
      expect(() => credentials.renew(next)).toThrow(/the credentials of worker 'n1' of cluster \w+ cannot be/)
    expect(credentials.present).toBe(first)
  })

  it('have to be valid', async () => {
    const past = { from: new Date(Date.now() - 7_200_000), forMs: 3_600_000 }
    const late = await authority.issue({ node: 'n1', role: 'worker', ...past })
    expect(() => new RenewableCredentials(first).renew(late)).toThrow('which is not now')
    expect(() => new RenewableCredentials(late)).toThrow('which is not now')
  })

  it('may be replaced when they have ended', async () => {
    const credentials = new RenewableCredentials(first)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 172_800_000 })
    const later = await authority.issue({ node: 'n1', role: 'worker' })
    credentials.renew(later)
    expect(credentials.present).toBe(later)
  })
})
