import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isTuning } from './gemm/tuning.ts'
import { storedTuning } from './node.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tuning-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** What no machine measures. */
const planted = { f32: [{ rows: 2, vectors: 2, nanoseconds: 12345 }] }

/** A file whose machine is this one, or undefined when it was too busy to be measured. */
async function measuredFile(): Promise<string> {
  const file = join(folder, 'deep', 'tuning.json')
  // A busy machine may need several tries.
  for (let tries = 0; tries < 3; tries++) await storedTuning(file)
  return file
}

describe('storedTuning', () => {
  it('measures anew what is of another machine, and what is no measurement', async () => {
    const file = join(folder, 'tuning.json')
    for (const text of [
      JSON.stringify({ machine: 'another', tuning: planted }),
      JSON.stringify({ machine: 'another', tuning: 5 }),
      'no JSON',
    ]) {
      await writeFile(file, text)
      const tuning = await storedTuning(file)
      expect(isTuning(tuning)).toBe(true)
      expect(tuning).not.toEqual(planted)
    }
  })

  it('reads what it has written', async () => {
    const file = await measuredFile()
    const text = await readFile(file, 'utf8').catch(() => undefined)
    const stored = text === undefined ? { tuning: {} } : (JSON.parse(text) as { tuning: unknown })
    if (text !== undefined) await writeFile(file, JSON.stringify({ ...stored, tuning: planted }))
    expect(await storedTuning(file)).toEqual(text === undefined ? stored.tuning : planted)
  })

  it('does without a file that cannot be written', async () => {
    await writeFile(join(folder, 'file'), '')
    expect(isTuning(await storedTuning(join(folder, 'file', 'tuning.json')))).toBe(true)
  })
})
