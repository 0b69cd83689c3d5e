import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { file, writeFile } from './files.ts'
import { readLines } from './formats/text.ts'

describe('files', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-data-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('are written whole and read as often as wanted', async () => {
    const path = join(folder, 'lines.txt')
    await writeFile(path, ['one\n', new TextEncoder().encode('two\n')])
    const lines = readLines(file(path))
    expect(await lines.toArray()).toEqual(['one', 'two'])
    expect(await lines.toArray()).toEqual(['one', 'two'])
  })

  it('stay as they were when writing fails', async () => {
    const path = join(folder, 'kept.txt')
    await writeFile(path, 'old')
    const broken = function* () {
      yield 'new'
      throw new Error('no more')
    }
    await expect(writeFile(path, broken())).rejects.toThrow('no more')
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['kept.txt'])
  })
})
