import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomSampler } from '../samplers/random.ts'
import { float } from '../space/domain.ts'
import { createStudy } from '../study/study.ts'
import { storageSuite } from '../testing/storageSuite.ts'
import { SqliteStorage } from './sqlite.ts'

let folder = ''
let files = 0
const newFile = (): string => join(folder, `${files++}.db`)
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-tune-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

storageSuite('the storage in SQLite', () => SqliteStorage.open(newFile()))

const space = { x: float(0, 1) }

describe('a file', () => {
  it('keeps a study, which goes on as if it had never stopped', async () => {
    const path = newFile()
    for (const trials of [4, 12]) {
      await using storage = SqliteStorage.open(path)
      const study = await createStudy({ space, storage, seed: 3 })
      await study.optimize(({ params }) => params.x, { trials })
    }
    const whole = await createStudy({ space, seed: 3 })
    await whole.optimize(({ params }) => params.x, { trials: 12 })
    await using storage = SqliteStorage.open(path)
    const again = await createStudy({ space, storage })
    expect(await again.trials()).toEqual(await whole.trials())
  })

  it('is seen alike through two connections', async () => {
    const path = newFile()
    await using first = SqliteStorage.open(path)
    await using second = SqliteStorage.open(path)
    const [one, other] = [
      await createStudy({ space, storage: first }),
      await createStudy({ space, storage: second }),
    ]
    const objective = async ({ params }: { readonly params: { readonly x: number } }): Promise<number> =>
      params.x
    await Promise.all([
      one.optimize(objective, { trials: 20, parallel: 2 }),
      other.optimize(objective, { trials: 20, parallel: 2 }),
    ])
    const trials = await one.trials()
    expect(trials).toEqual(await other.trials())
    expect(trials.map(({ number, attempts, state }) => [number, attempts, state])).toEqual(
      Array.from({ length: 20 }, (_, i) => [i, 1, 'complete']),
    )
  })

  it('is refused when it is something else, or of a later version', async () => {
    const [text, foreign, later] = [newFile(), newFile(), newFile()]
    writeFileSync(text, 'no database at all, but long enough to be looked at')
    expect(() => SqliteStorage.open(text)).toThrow('cannot be opened as a storage of studies')
    const db = new DatabaseSync(foreign)
    db.exec('CREATE TABLE photos (id INTEGER)')
    db.close()
    expect(() => SqliteStorage.open(foreign)).toThrow('something else')
    await SqliteStorage.open(later).close()
    const newer = new DatabaseSync(later)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    expect(() => SqliteStorage.open(later)).toThrow('has version 99, this program knows 1')
    expect(() => SqliteStorage.open(join(folder, 'missing', 'a.db'))).toThrow('cannot be opened')
  })
})

/** A process that searches; it says `number attempt` of each trial that it begins, and stops in the trial of this number. */
function searching(path: string, leaseMs: number, hangAt: number) {
  const program = fileURLToPath(new URL('../testing/searching.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--conditions=@shoal/source', program, path, String(leaseMs), String(hangAt)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const says = (line: string): Promise<void> =>
    new Promise((resolve) => child.stdout.on('data', () => said.split('\n').includes(line) && resolve()))
  return { child, ended, says, lines: () => said.split('\n').filter((line) => line !== '') }
}

describe('several processes', () => {
  it('run each trial once; one that is killed in the middle of a trial loses nothing but that attempt', async () => {
    const path = newFile()
    // One process hangs in its third trial, and is killed there. Its short lease is over before others have started.
    const dying = searching(path, 60, 2)
    await dying.says('2 1')
    dying.child.kill('SIGKILL')
    await dying.ended
    await using storage = SqliteStorage.open(path)
    const study = await createStudy({ space, storage, sampler: randomSampler() })
    expect((await study.trials()).map(({ state }) => state)).toEqual(['complete', 'complete', 'running'])
    const before = await study.trials()
    // Two others go on; the lost trial is found when its lease is over.
    const [one, other] = [searching(path, 60_000, -1), searching(path, 60_000, -1)]
    expect(await Promise.all([one.ended, other.ended])).toEqual([0, 0])
    const trials = await study.trials()
    expect(trials.slice(0, 2)).toEqual(before.slice(0, 2))
    expect(trials.map(({ number, state, attempts }) => [number, state, attempts])).toEqual(
      Array.from({ length: 8 }, (_, i) => [i, 'complete', i === 2 ? 2 : 1]),
    )
    const begun = [...dying.lines(), ...one.lines(), ...other.lines()].sort()
    expect(begun).toEqual(['0 1', '1 1', '2 1', '2 2', '3 1', '4 1', '5 1', '6 1', '7 1'])
  })
})
