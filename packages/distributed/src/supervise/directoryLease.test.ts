import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DirectoryLease } from './directoryLease.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lease-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('a lease in a directory', () => {
  it('is nobody’s before it was taken, and then of whoever took it last', async () => {
    const lease = new DirectoryLease(join(folder, 'made', 'when', 'needed'))
    expect(await lease.newest()).toEqual({ epoch: 0, holder: '' })
    expect(await lease.claim('a')).toBe(1)
    expect(await new DirectoryLease(lease.directory).claim('b')).toBe(2)
    expect(await lease.newest()).toEqual({ epoch: 2, holder: 'b' })
  })

  it('gives each of many who want it at the same time an epoch of his own', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `task ${i}`)
    const epochs = await Promise.all(names.map((name) => new DirectoryLease(folder).claim(name)))
    expect(new Set(epochs).size).toBe(names.length)
    const newest = await new DirectoryLease(folder).newest()
    expect(newest.epoch).toBe(Math.max(...epochs))
    expect(newest.holder).toBe(names[epochs.indexOf(newest.epoch)])
  })

  it('leaves all else in the directory alone', async () => {
    const others = ['chief-1.lease.txt', 'chief-.lease', 'chief--1.lease', 'checkpoint-1.safetensors']
    for (const name of others) await writeFile(join(folder, name), '')
    const lease = new DirectoryLease(folder)
    expect([await lease.claim('a'), await lease.claim('b')]).toEqual([1, 2])
    expect(new Set(await readdir(folder))).toEqual(new Set([...others, 'chief-2.lease']))
  })

  it('cannot be taken where nothing can be written', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await expect(new DirectoryLease(file).claim('a')).rejects.toThrow('EEXIST')
    await expect(new DirectoryLease(file).newest()).rejects.toThrow('ENOTDIR')
  })
})
