import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    const tuning = await storedTuning(join(folder, 'file', 'tuning.json'))
    expect(tuning).toEqual({ 'f32 relaxed': measured })
  })
})
