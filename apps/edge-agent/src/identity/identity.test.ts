import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkCredentials, SecurityError } from '@shoal/distributed/peers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Identity } from './identity.ts'
import { certified } from './membership.ts'
import { freshNodeId } from './nodeId.ts'
import { StateFolder } from './stateFolder.ts'

const day = 86_400_000
let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-identity-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(root, { recursive: true })
})
const folderOf = (name: string): Promise<StateFolder> => StateFolder.open(join(root, name))
const node = async (name: string): Promise<Identity> => Identity.open(await folderOf(name), { name })

describe('the id of a node', () => {
  it('has its name, and is fit for certificates', () => {
    expect(freshNodeId('raspberrypi')).toMatch(/^raspberrypi-[a-z2-7]{4}$/)
    expect(freshNodeId('Jürgens Rechner')).toMatch(/^Ju-rgens-Rechner-[a-z2-7]{4}$/)
    expect(freshNodeId('--')).toMatch(/^node-[a-z2-7]{4}$/)
    expect(freshNodeId('x'.repeat(200))).toHaveLength(63)
    expect(new Set(Array.from({ length: 50 }, () => freshNodeId('pi'))).size).toBeGreaterThan(45)
  })
})

describe('the identity of a node', () => {
  it('is that of a manager of a cluster of its own, from the first start on', async () => {
    const first = await node('pi1')
    expect(first.nodeId).toMatch(/^pi1-[a-z2-7]{4}$/)
    expect(first.role).toBe('manager')
    expect(first.authority?.cluster).toBe(first.clusterId)
    const { cluster, role } = checkCredentials(first.credentials.present)
    expect([cluster, role]).toEqual([first.clusterId, 'manager'])
    const again = await Identity.open(await folderOf('pi1'), { name: 'other' })
    expect([again.nodeId, again.clusterId, again.role]).toEqual([first.nodeId, first.clusterId, 'manager'])
    expect((await node('pi2')).clusterId).not.toBe(first.clusterId)
  })

  it('changes with the cluster, and keeps the id', async () => {
    const [one, two] = [await node('pi1'), await node('pi2')]
    const { nodeId } = two
    const credentials = await certified(one.authority!, { nodeId, role: 'worker' })
    const joined = await two.adopt({ credentials })
    const expected = [nodeId, one.clusterId, 'worker', undefined]
    for (const it of [joined, await node('pi2')])
      expect([it.nodeId, it.clusterId, it.role, it.authority]).toEqual(expected)
    await expect(joined.remove('pi3')).rejects.toThrow(
      `worker '${nodeId}' may not remove nodes: ask a manager`,
    )

    const alone = await joined.leave()
    expect([alone.nodeId, alone.role]).toEqual([nodeId, 'manager'])
    expect([one.clusterId, two.clusterId]).not.toContain(alone.clusterId)
    expect((await node('pi2')).clusterId).toBe(alone.clusterId)
  })

  it('is not changed by what does not belong together', async () => {
    const [one, two] = [await node('pi1'), await node('pi2')]
    const own = await certified(one.authority!, { nodeId: two.nodeId, role: 'manager' })
    const other = await certified(one.authority!, { nodeId: 'pi9', role: 'worker' })
    const unfit = [
      { credentials: { ...own, authority: two.newest.authority } },
      { credentials: { ...own, privateKey: other.privateKey } },
      { credentials: own, authorityKey: two.authority!.export().privateKey },
      { credentials: await one.authority!.issue({ node: two.nodeId, role: 'king' }) },
    ]
    for (const membership of unfit) await expect(two.adopt(membership)).rejects.toThrow(SecurityError)
    await expect(one.renewBy(other)).rejects.toThrow(`was given the certificate of worker 'pi9'`)
    expect((await node('pi2')).clusterId).toBe(two.clusterId)
  })

  it('is never made anew where it was damaged', async () => {
    await node('pi1')
    const path = join(root, 'pi1', 'identity.json')
    const text = await readFile(path, 'utf8')
    for (const damaged of [text.slice(0, 100), text.replace('"v":1', '"v":2')]) {
      await writeFile(path, damaged)
      await expect(node('pi1')).rejects.toThrow('identity.json is damaged')
    }
  })

  it('of a manager outlasts its certificate, whenever it is looked at again', async () => {
    const { nodeId } = await node('pi1')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 400 * day })
    const later = await node('pi1')
    expect([later.nodeId, later.isValid]).toEqual([nodeId, true])
    // A machine without a battery may begin in the past.
    vi.setSystemTime(Date.now() - 800 * day)
    const early = await node('pi1')
    expect(early.isValid).toBe(false)
    expect(() => early.credentials).toThrow('which is not now')
  })
})

describe('nodes that were removed', () => {
  it('are not let in any more, and known after a new start', async () => {
    const one = await node('pi1')
    one.removals.admit({ node: 'pi2' })
    const told: string[] = []
    const forget = one.removals.onRemoved((id) => told.push(id))
    await one.remove('pi2')
    await one.remove('pi2')
    forget()
    await one.remove('pi3')
    expect(told).toEqual(['pi2'])
    for (const { removals } of [one, await node('pi1')]) {
      expect(() => removals.admit({ node: 'pi2' })).toThrow(/^'pi2' was removed from this cluster at 20/)
      expect(() => removals.admit({ node: 'pi2' })).toThrow(SecurityError)
      removals.admit({ node: 'pi4' })
      expect(removals.list.map(({ nodeId }) => nodeId)).toEqual(['pi2', 'pi3'])
    }
    await expect(one.remove(one.nodeId)).rejects.toThrow('cannot remove itself')
    expect((await one.leave()).removals.list).toEqual([])
    expect((await node('pi1')).removals.list).toEqual([])
  })

  it('are passed on by anybody, and made up by nobody', async () => {
    const [one, two] = [await node('pi1'), await node('pi2')]
    const credentials = await certified(one.authority!, { nodeId: two.nodeId, role: 'worker' })
    const joined = await two.adopt({ credentials })
    await one.remove('pi3')
    const [removal] = one.removals.list
    expect(await joined.removals.merge([removal!, removal!])).toEqual(['pi3'])
    expect(await joined.removals.merge(one.removals.list)).toEqual([])
    expect((await node('pi2')).removals.has('pi3')).toBe(true)

    const other = await node('pi9')
    await other.remove('pi1')
    const forged = [
      { ...removal!, nodeId: 'pi1' },
      { ...removal!, nodeId: 'pi4', at: 0 },
      other.removals.list[0]!,
    ]
    for (const entry of forged) await expect(joined.removals.merge([entry])).rejects.toThrow(SecurityError)
    expect(joined.removals.list).toHaveLength(1)
  })
})
