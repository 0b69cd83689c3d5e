import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Documents } from './documents.ts'

it('keeps documents of any key: long ones, of any letters, and those that differ by case alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-documents-'))
  try {
    const keys = ['ü'.repeat(200), '\ud800', '..', '../../up', 'a', 'A', '__proto__']
    const entries = keys.map((key, i) => ({ key, version: i + 1, value: i }))
    await (await Documents.open(folder)).put(entries)
    const again = await Documents.open(folder)
    expect(keys.map((key) => again.get(key)?.value)).toEqual(keys.map((_, i) => i))
  } finally {
    await rm(folder, { recursive: true })
  }
})
