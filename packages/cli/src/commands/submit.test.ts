// Jobs on their way: programs are bundled, data is sent once, and what was asked for is what is submitted.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JobSpec, jobMethods, type Json } from '@shoal/edge-agent/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { event, job, submitted } from '../testing/events.ts'
import { ScriptedBlobs } from '../testing/scriptedBlobs.ts'
import { ScriptedJob } from '../testing/scriptedJob.ts'
import { testShell } from '../testing/shells.ts'
import { answering, TestAgent } from '../testing/testAgent.ts'

let folder = ''
let blobs: ScriptedBlobs
let agent: TestAgent
let specs: JobSpec[]
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-submit-'))
  writeFileSync(join(folder, 'digits.ts'), `export default { train: async (): Promise<void> => {} }`)
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data', 'a.csv'), 'x,y\n1,2\n')
  writeFileSync(join(folder, 'data', 'b.csv'), 'x,y\n3,4\n')
  blobs = new ScriptedBlobs()
  specs = []
  const digits = new ScriptedJob(
    submitted('digits'),
    event(1, { kind: 'state', state: 'succeeded', attempt: 0, reason: '' }),
  )
  const documents: Record<string, Json> = { result: { accuracy: 0.98765, best: { trial: 3 } } }
  agent = await TestAgent.start(
    ...blobs.methods,
    ...digits.methods,
    answering(jobMethods.submit, ({ spec }) => {
      specs.push(spec)
      return { job }
    }),
    answering(jobMethods.readDocument, ({ key }) => ({
      version: key in documents ? 1 : 0,
      value: (documents[key] ?? null) as never,
    })),
  )
})
afterEach(async () => {
  await agent[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})
const shoal = (...args: readonly string[]) =>
  testShell({ cwd: folder }).run(...args, '--folder', agent.folder)

describe('shoal train', () => {
  it('submits what the flags say, watches it, and tells what came of it', async () => {
    const tasks = ['--tasks', 'worker=2,ps=1', '--gpu', '--memory', '1GiB', '--time-limit', '2h']
    const more = ['--priority', '-3', '--set', 'rate=0.1', '--set', 'kind=deep', '--name', 'my digits']
    const { code, out } = await shoal('train', 'digits.ts', ...tasks, ...more)
    expect(code).toBe(0)
    expect(out).toContain('succeeded\n')
    expect(out).toContain('accuracy  0.988\nbest  trial 3\n')
    const need = { memoryBytes: 2 ** 30, cores: 1, devices: [] }
    expect(specs).toMatchObject([
      {
        name: 'my digits',
        kind: 'train',
        scheduling: 'gang',
        tasks: {
          worker: { count: 2, need: { ...need, devices: ['webgpu'] } },
          ps: { count: 1, need },
        },
        settings: { rate: 0.1, kind: 'deep' },
        priority: -3,
        timeLimitMs: 7_200_000,
      },
    ])
    expect(String(blobs.blobs.get(specs[0]!.program))).not.toBe('undefined')
    expect(blobs.keepers).toEqual(new Set())
  })

  it('sends data once', async () => {
    const first = await shoal('train', 'digits.ts', '--data', 'digits=data', '--detach', '--json')
    expect(JSON.parse(first.out)).toEqual({ job })
    expect(specs[0]!.datasets['digits']!.files.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['a.csv', 8],
      ['b.csv', 8],
    ])
    const { received } = blobs
    const { err } = await shoal('train', 'digits.ts', '--data', 'digits=data', '--detach')
    expect(err).toContain('data digits: 16 B, of which 0 B had to be sent')
    expect(blobs.received).toBe(received)
  })

  it('takes from the config what no flag says', async () => {
    writeFileSync(
      join(folder, 'shoal.config.mjs'),
      `export default { job: { program: 'digits.ts', tasks: { worker: 'all' }, elastic: true, gpu: true, set: { rate: 1 } } }`,
    )
    await shoal('train', '--config', 'shoal.config.mjs', '--set', 'deep=true', '--detach')
    expect(specs).toMatchObject([
      {
        name: 'digits',
        scheduling: 'elastic',
        tasks: { worker: { count: 'all', need: { devices: ['webgpu'], memoryBytes: 2 ** 30 } } },
        settings: { rate: 1, deep: true },
      },
    ])
  })

  it('says what is wrong with a program', async () => {
    expect((await shoal('train')).code).toBe(2)
    expect((await shoal('train', 'none.ts')).code).toBe(5)
    writeFileSync(join(folder, 'wrong.ts'), 'export default {{{')
    const { code, err } = await shoal('train', 'wrong.ts')
    expect(code).toBe(1)
    expect(err).toMatch(/wrong\.ts:1:\d+/)
    expect(specs).toEqual([])
  })
})

describe('shoal search and ensemble', () => {
  it('tell the program how many, and of what', async () => {
    await shoal('search', 'digits.ts', '--trials', '8', '--parallel', '2', '--detach')
    await shoal('ensemble', 'digits.ts', '--of', 'digits', '--best', '3', '--combine', 'vote', '--detach')
    await shoal('ensemble', 'digits.ts', '--members', '5', '--detach')
    expect(specs).toMatchObject([
      { kind: 'search', scheduling: 'elastic', tasks: { worker: { count: 2 } }, settings: { trials: 8 } },
      { kind: 'ensemble', settings: { of: job, best: 3, combine: 'vote' }, reads: [job] },
      { kind: 'ensemble', settings: { members: 5 }, reads: [] },
    ])
    const { code, err } = await shoal('ensemble', 'digits.ts')
    expect(code).toBe(2)
    expect(err).toContain('an ensemble of what?')
  })
})
