// Which of flags, file and environment counts, and what each of them may say.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MissingError, UsageError } from '../errors.ts'
import { configOfEnvironment } from './environment.ts'
import { findConfig, loadConfig } from './load.ts'
import { mergeConfigs } from './merge.ts'
import { readBytes, readCount, readDuration, readSetting, readTasks, readYes } from './text.ts'

describe('text', () => {
  it('names tasks', () => {
    expect(readTasks('worker=4,ps=1')).toEqual({ worker: 4, ps: 1 })
    expect(readTasks('3')).toEqual({ worker: 3 })
    expect(readTasks('worker=all')).toEqual({ worker: 'all' })
    for (const wrong of ['worker=', 'worker=0', 'Worker=1', 'worker=1.5', '', 'a=1,a=2'])
      expect(() => readTasks(wrong), wrong).toThrow(UsageError)
  })

  it('tells amounts', () => {
    expect(['512MiB', '2G', '1.5 GiB', '100', '3kb'].map(readBytes)).toEqual([
      2 ** 29,
      2 ** 31,
      1.5 * 2 ** 30,
      100,
      3072,
    ])
    expect(['90s', '1.5h', '2d', '250ms', '3m'].map(readDuration)).toEqual([
      90_000, 5_400_000, 172_800_000, 250, 180_000,
    ])
    expect(() => readBytes('lots')).toThrow("'lots' is no amount of memory")
    expect(() => readDuration('90')).toThrow("'90' is no length of time")
    expect(() => readCount('a port', 0)('1e3')).toThrow("a port is a whole number from 0 on, not '1e3'")
    expect(() => readYes('perhaps')).toThrow(UsageError)
  })

  it('holds JSON where it can, and text otherwise', () => {
    const pairs = ['rate=0.1', 'deep=true', 'sizes=[1,2]', 'name=a=b', 'empty='].map(readSetting)
    expect(Object.fromEntries(pairs)).toEqual({
      rate: 0.1,
      deep: true,
      sizes: [1, 2],
      name: 'a=b',
      empty: '',
    })
    expect(() => readSetting('rate')).toThrow("'rate' is no name with a value")
  })
})

describe('the order', () => {
  it('is flags, file, environment', () => {
    const flags = { job: { tasks: { worker: 2 }, set: { rate: 1 } } }
    const file = { folder: '/f', job: { tasks: { ps: 1 }, priority: 5, set: { rate: 2, decay: 3 } } }
    const environment = configOfEnvironment({
      SHOAL_HOME: '/e',
      SHOAL_JOB_PRIORITY: '-7',
      SHOAL_JOB_TIME_LIMIT: '2h',
      SHOAL_JOB_SET: 'decay=4,width=5',
      SHOAL_AGENT_PEERS: 'a:1, b:2',
    })
    expect(mergeConfigs(flags, file, environment)).toEqual({
      folder: '/f',
      agent: { peers: ['a:1', 'b:2'] },
      job: {
        tasks: { worker: 2 },
        priority: 5,
        timeLimit: 7_200_000,
        set: { rate: 1, decay: 3, width: 5 },
      },
    })
  })

  it('names the variable that cannot be read', () => {
    expect(() => configOfEnvironment({ SHOAL_JOB_TASKS: 'many' })).toThrow(/^SHOAL_JOB_TASKS: 'many' says/)
  })
})

describe('a config file', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-config-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const write = (source: string): string => {
    const file = join(folder, 'shoal.config.ts')
    writeFileSync(file, source)
    return file
  }

  it('is TypeScript that imports shoal, and its paths begin at its folder', () => {
    const file = write(`import { defineConfig } from 'shoal'
      const workers: number = 3
      export default defineConfig({ job: { tasks: { worker: workers }, program: 'train.ts', data: { mnist: '../digits' } } })`)
    // In a process of its own: what a test runner imports, it resolves by rules of its own.
    const program = `const { loadConfig } = await import(${JSON.stringify(import.meta.resolve('./load.ts'))})
      console.log(JSON.stringify(await loadConfig(${JSON.stringify(file)})))`
    const flags = ['--conditions=@shoal/source', '--input-type=module', '-e', program]
    const printed = execFileSync(process.execPath, flags, { encoding: 'utf8', cwd: folder })
    expect(JSON.parse(printed)).toEqual({
      job: {
        tasks: { worker: 3 },
        program: join(folder, 'train.ts'),
        data: { mnist: join(folder, '../digits') },
      },
    })
  })

  it('is found from folders below', () => {
    const file = write('export default {}')
    mkdirSync(join(folder, 'a/b'), { recursive: true })
    expect(findConfig(join(folder, 'a/b'))).toBe(file)
  })

  it('is told what is wrong with it', async () => {
    await expect(loadConfig(join(folder, 'none.ts'))).rejects.toThrow(MissingError)
    await expect(loadConfig(write('export default { jobs: {} }'))).rejects.toThrow(/Unrecognized key: "jobs"/)
  })

  it('is told so when it cannot be run', async () => {
    await expect(loadConfig(write('export default ((('))).rejects.toThrow(/shoal.config.ts cannot be run/)
  })

  it('has to have a default export', async () => {
    await expect(loadConfig(write('export const job = {}'))).rejects.toThrow(/has no default export/)
  })
})
