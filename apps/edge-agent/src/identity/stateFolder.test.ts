import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { announceAgent, findAgent } from './agentFile.ts'
import { LockedError, StateError } from './errors.ts'
import { lockFolder } from './folderLock.ts'
import { defaultStateFolder, StateFolder } from './stateFolder.ts'
import { isRunning, type SystemProcess, thisProcess } from './systemProcess.ts'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-state-'))
})
afterEach(() => rm(root, { recursive: true }))

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)

/** A process that was there, and is not any more. */
async function deadProcess(): Promise<SystemProcess> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return { pid: child.pid!, began: '' }
}

describe('a state folder', () => {
  it('is where the environment says', () => {
    expect(defaultStateFolder({ SHOAL_HOME: '/srv/pi', XDG_STATE_HOME: '/x' })).toBe('/srv/pi')
    expect(defaultStateFolder({ XDG_STATE_HOME: '/x' })).toBe('/x/shoal')
    expect(defaultStateFolder({})).toMatch(/\.local\/state\/shoal$/)
  })

  it('is open to its owner alone, and so are its files', async () => {
    const path = join(root, 'deep', 'state')
    const folder = await StateFolder.open(path)
    await folder.write('a.json', 1)
    expect([await modeOf(path), await modeOf(join(path, 'a.json'))]).toEqual(['700', '600'])
    await chmod(path, 0o755)
    await StateFolder.open(path)
    expect(await modeOf(path)).toBe('700')
  })

  it('keeps what was written last, and nothing beside it', async () => {
    const folder = await StateFolder.open(root)
    expect(await folder.read('a.json', z.number())).toBeUndefined()
    await Promise.all([1, 2, 3].map((value) => folder.write('a.json', value)))
    expect(await folder.read('a.json', z.number())).toBeOneOf([1, 2, 3])
    expect([await folder.create('a.json', 4), await folder.create('b.json', 5)]).toEqual([false, true])
    expect(await folder.read('b.json', z.number())).toBe(5)
    expect((await readdir(root)).sort()).toEqual(['a.json', 'b.json'])
  })

  it('never takes a damaged file for one that is not there', async () => {
    const folder = await StateFolder.open(root)
    for (const text of ['', '{"half": ', '"no number"']) {
      await writeFile(join(root, 'a.json'), text)
      await expect(folder.read('a.json', z.number())).rejects.toThrow(/a\.json is damaged: restore it/)
    }
    await writeFile(join(root, 'file'), '')
    await expect(StateFolder.open(join(root, 'file', 'under'))).rejects.toThrow(StateError)
    await expect(folder.write('none/a.json', 1)).rejects.toThrow('cannot be written')
  })
})

describe('the lock of a folder', () => {
  it('is held by one, until it lets go', async () => {
    const folder = await StateFolder.open(root)
    for (let turn = 0; turn < 3; turn++) {
      await using _held = await lockFolder(folder)
      await expect(lockFolder(folder)).rejects.toThrow(`process id ${process.pid}`)
    }
    expect(await readdir(root)).toEqual(['lock-3'])
  })

  it('goes to exactly one of those who come at once', async () => {
    const folder = await StateFolder.open(root)
    const ends = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(folder)))
    const refusals = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []))
    expect(refusals).toHaveLength(11)
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(LockedError)
  })

  it('is taken over from the dead, with what they left unfinished', async () => {
    const folder = await StateFolder.open(root)
    await folder.write('lock-7', await deadProcess())
    await writeFile(join(root, 'a.json.0a1b.new'), '{"ha')
    await using _held = await lockFolder(folder)
    expect(await readdir(root)).toEqual(['lock-8'])
  })

  it('is not kept by another process that was given the number of a dead one', async () => {
    const folder = await StateFolder.open(root)
    const { pid, began } = thisProcess()
    expect([isRunning({ pid, began }), isRunning({ pid, began: '' })]).toEqual([true, true])
    const other = { pid, began: 'another start of the machine 17' }
    expect(isRunning(other)).toBe(false)
    await folder.write('lock-1', other)
    await using _held = await lockFolder(folder)
  })
})

describe('the agent of a folder', () => {
  it('is found while it runs', async () => {
    const folder = await StateFolder.open(root)
    expect(await findAgent(folder)).toBeUndefined()
    {
      await using _said = await announceAgent(folder, { address: '127.0.0.1:7070', version: '0.1.0' })
      expect(await findAgent(folder)).toMatchObject({ pid: process.pid, address: '127.0.0.1:7070' })
    }
    expect(await findAgent(folder)).toBeUndefined()
    await folder.write('agent.json', {
      ...(await deadProcess()),
      address: '127.0.0.1:7070',
      version: '0.1.0',
    })
    expect(await findAgent(folder)).toBeUndefined()
  })
})
