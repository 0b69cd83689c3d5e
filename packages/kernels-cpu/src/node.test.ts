import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { candidatesFor } from './gemm/tile.ts'
import { measuredTiles } from './gemm/tuning.ts'
import { storedTuning } from './node.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tuning-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** What no machine measures. */
const planted = { f32: [{ rows: 2, vectors: 2, nanoseconds: 12345 }] }

/** What this process thinks that it has measured, however busy the machine is. */
const measured = candidatesFor(true).map((tile) => ({ ...tile, nanoseconds: 7 }))
beforeAll(() => measuredTiles('f32 relaxed', () => measured))

describe('storedTuning', () => {
  it('measures anew what is of another machine, and what is no measurement', async () => {
    const file = join(folder, 'tuning.json')
    for (const text of [
      JSON.stringify({ machine: 'another', tuning: planted }),
      JSON.stringify({ machine: 'another', tuning: 5 }),
      'no JSON',
    ]) {
      await writeFile(file, text)
      expect(await storedTuning(file)).toEqual({ 'f32 relaxed': measured })
    }
  })

  it('reads what it has written', async () => {
    const file = join(folder, 'deep', 'tuning.json')
    const tuning = await storedTuning(file)
    const stored = JSON.parse(await readFile(file, 'utf8')) as { tuning: unknown }
    expect(stored.tuning).toEqual(tuning)
    await writeFile(file, JSON.stringify({ ...stored, tuning: planted }))
    expect(await storedTuning(file)).toEqual(planted)
  })

  it('does without a file that cannot be written', async () => {
    await writeFile(join(folder, 'file'), '')
    const lines: string[] = []
    const file = join(folder, 'file', 'tuning.json')
    expect(await storedTuning(file, { log: (line) => lines.push(line) })).toEqual({ 'f32 relaxed': measured })
    expect(await storedTuning(file)).toEqual({ 'f32 relaxed': measured })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/could not be stored in .*tuning\.json \(E/)
  })

  it('does without a folder that cannot be made, and leaves nothing behind that tries for ever', async () => {
    // A file system that takes no folders, or where there is none a file in the place of one.
    await writeFile(join(folder, 'file'), '')
    const file = join(existsSync('/proc') ? '/proc' : join(folder, 'file'), 'shoal', 'deep', 'tuning.json')
    // In a process of its own, which must end.
    const source = `
      import { storedTuning } from '${new URL('./node.ts', import.meta.url)}'
      import { measuredTiles } from '${new URL('./gemm/tuning.ts', import.meta.url)}'
      measuredTiles('f32 relaxed', () => [{ rows: 2, vectors: 2, nanoseconds: 7 }])
      await storedTuning(${JSON.stringify(file)}, { log: (line) => console.log(line) })`
    const flags = ['--conditions=@shoal/source', '--input-type=module', '-e', source]
    const said = execFileSync(process.execPath, flags, {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      timeout: 20_000,
      encoding: 'utf8',
    })
    expect(said).toContain(`could not be stored in ${file} (E`)
  })

  it('refuses what is no name of a file, and options that there are not', async () => {
    await expect(storedTuning('')).rejects.toThrow("file must be the name of a file, got ''")
    await expect(storedTuning(5 as never)).rejects.toThrow('got 5')
    await expect(storedTuning('a', { logs: 1 } as never)).rejects.toThrow("there is no 'logs'")
  })
})
