import { ClusterAuthority } from '@shoal/distributed/node'
import { expect, it } from 'vitest'
import { countRing } from './ring.ts'

it('counts hardly more than there must be, and the same each time', async () => {
  const authority = await ClusterAuthority.create()
  const found = await countRing(authority, 3, 300_000)
  expect(found).toEqual(await countRing(authority, 3, 300_000))
  expect(found.least).toBe(1_600_000)
  expect(found.sent).toBeGreaterThan(found.least)
  expect(found.sent).toBeLessThan(1.02 * found.least)
})
