import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  constant,
  ndarray,
  Session,
  square,
  sum,
  UninitializedError,
  ValueError,
  variable,
} from '@shoal/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adam } from '../optimizers/adam.ts'
import { allVariables } from '../variables.ts'
import { Checkpoints, readCheckpoint } from './checkpoints.ts'
import { CheckpointError } from './errors.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'checkpoints-'))
})
afterEach(() => rm(directory, { recursive: true }))

const v = variable([1, 2], { name: 'v' })
const inDirectory = async (): Promise<string[]> => (await readdir(directory)).sort()

/** A session whose `v` is [step, step], saved at each of the steps. */
async function saved(
  checkpoints: Checkpoints,
  steps: readonly (readonly [step: number, loss: number])[],
): Promise<void> {
  await using session = new Session()
  for (const [step, loss] of steps) {
    await session.run(v.assign(constant([step, step])))
    await checkpoints.save(session, [v], { step, metrics: { loss } })
  }
}
async function restored(checkpoints: Checkpoints, which?: 'latest' | 'best' | number): Promise<number> {
  await using session = new Session()
  const { step } = await checkpoints.restore(session, [v], which === undefined ? {} : { which })
  expect((await session.run(v)).toArray()).toEqual([step, step])
  return step
}

describe('checkpoints', () => {
  it('bring back the whole state of training, slots and counters included', async () => {
    const w = variable([1, -2, 3], { name: 'w' })
    const loss = sum(square(w))
    const step = adam({ learningRate: 0.1 }).minimize(loss)
    const variables = allVariables(step)
    const checkpoints = new Checkpoints(join(directory, 'made', 'when', 'needed'))
    await using first = new Session()
    await first.initialize(step)
    for (let i = 0; i < 3; i++) await first.run(step)
    await checkpoints.save(first, variables, { step: 3 })
    for (let i = 0; i < 3; i++) await first.run(step)
    await using second = new Session()
    expect(await checkpoints.restore(second, variables)).toMatchObject({ step: 3, missing: [], metrics: {} })
    for (let i = 0; i < 3; i++) await second.run(step)
    expect((await second.run(w)).toArray()).toEqual((await first.run(w)).toArray())
  })

  it('keep the newest, and the best besides', async () => {
    const checkpoints = new Checkpoints(directory, { keep: 2, keepBest: { metric: 'loss', mode: 'min' } })
    await saved(checkpoints, [
      [1, 5],
      [2, 1],
      [3, Number.NaN],
      [10, 4],
      [20, 3],
    ])
    expect(await inDirectory()).toEqual([
      'checkpoint-10.safetensors',
      'checkpoint-2.safetensors',
      'checkpoint-20.safetensors',
      'checkpoints.json',
    ])
    expect(await restored(checkpoints)).toBe(20)
    expect(await restored(checkpoints, 'best')).toBe(2)
    expect(await restored(checkpoints, 10)).toBe(10)
    await expect(restored(checkpoints, 1)).rejects.toThrow('no checkpoint of step 1')
    const index: unknown = JSON.parse(await readFile(join(directory, 'checkpoints.json'), 'utf8'))
    expect(index).toMatchObject({ newest: 'checkpoint-20.safetensors', best: 'checkpoint-2.safetensors' })
  })

  it.each(['max', 'min'] as const)('of equally good ones the newer is better: %s', async (mode) => {
    const checkpoints = new Checkpoints(directory, { keep: 1, keepBest: { metric: 'loss', mode } })
    await saved(checkpoints, [
      [1, 7],
      [2, 7],
      [3, mode === 'max' ? 6 : 8],
    ])
    expect(await restored(checkpoints, 'best')).toBe(2)
  })

  it.each([
    ['lost', () => rm(join(directory, 'checkpoints.json'))],
    ['torn', () => truncate(join(directory, 'checkpoints.json'), 40)],
    [
      'of another kind',
      () => writeFile(join(directory, 'checkpoints.json'), '{"checkpoints":[3,{"file":"x"},null]}'),
    ],
    ['ahead of the files', () => rm(join(directory, 'checkpoint-3.safetensors'))],
  ])('need no index: one that is %s is made again from the files', async (how, damage) => {
    const options = { keep: 3, keepBest: { metric: 'loss', mode: 'min' as const } }
    await saved(new Checkpoints(directory, options), [
      [1, 5],
      [2, 1],
      [3, Number.POSITIVE_INFINITY],
    ])
    await damage()
    const checkpoints = new Checkpoints(directory, options)
    expect(await restored(checkpoints)).toBe(how === 'ahead of the files' ? 2 : 3)
    expect(await restored(checkpoints, 'best')).toBe(2)
    await saved(checkpoints, [[4, 2]])
    const kept = await checkpoints.list()
    expect(kept.map(({ step }) => step)).toEqual(how === 'ahead of the files' ? [1, 2, 4] : [2, 3, 4])
    expect(kept.map(({ metrics }) => metrics['loss'])).toEqual(
      how === 'ahead of the files' ? [5, 1, 2] : [1, Infinity, 2],
    )
  })

  it('pass over a truncated newest one, with a message', async () => {
    const messages: string[] = []
    const checkpoints = new Checkpoints(directory, { log: (message) => messages.push(message) })
    await saved(checkpoints, [
      [1, 0],
      [2, 0],
    ])
    await truncate(join(directory, 'checkpoint-2.safetensors'), 100)
    expect(await checkpoints.latest()).toBe(1)
    expect(await restored(checkpoints)).toBe(1)
    expect(messages).toEqual([expect.stringContaining('checkpoint-2.safetensors is passed over: truncated')])
    await expect(restored(checkpoints, 2)).rejects.toThrow(CheckpointError)
    await expect(restored(checkpoints, 2)).rejects.toThrow('truncated')
    await truncate(join(directory, 'checkpoint-1.safetensors'), 0)
    expect(await checkpoints.latest()).toBeUndefined()
    // Each is told of once, though the directory was looked at five times.
    expect(messages.slice(1)).toEqual([expect.stringContaining('checkpoint-1.safetensors is passed over')])
  })

  it('pass over one of the right size whose header is damaged', async () => {
    const messages: string[] = []
    const checkpoints = new Checkpoints(directory, { log: (message) => messages.push(message) })
    await saved(checkpoints, [
      [1, 0],
      [2, 0],
    ])
    const path = join(directory, 'checkpoint-2.safetensors')
    await writeFile(path, (await readFile(path)).fill(0xff, 8, 20))
    expect(await restored(checkpoints)).toBe(1)
    expect(messages).toEqual(['checkpoint-2.safetensors is passed over: the header is not JSON'])
  })

  it('sweep away what a crash left half written, and nothing else', async () => {
    await writeFile(join(directory, 'checkpoint-7.safetensors.0123456789ab.part'), 'half')
    await writeFile(join(directory, 'notes.part'), 'mine')
    await saved(new Checkpoints(directory), [[1, 0]])
    expect(await inDirectory()).toEqual(['checkpoint-1.safetensors', 'checkpoints.json', 'notes.part'])
  })

  it('stay as they are when the disk is full', async () => {
    // A process that may not write files of more than a few thousand bytes finds the disk as good as full.
    const program = `
      import { fill, Session, variable } from '@shoal/core'
      import { Checkpoints } from ${JSON.stringify(new URL('checkpoints.ts', import.meta.url).href)}
      const checkpoints = new Checkpoints(${JSON.stringify(directory)})
      await using session = new Session()
      const [small, large] = [variable([1, 2], { name: 'v' }), variable(fill({ shape: [100_000] }), { name: 'w' })]
      await session.initialize(small, large)
      await checkpoints.save(session, [small], { step: 1 })
      await checkpoints.save(session, [small, large], { step: 2 }).catch(({ code }) => console.log(code))
      console.log(await checkpoints.latest())`
    const node = [process.execPath, '--conditions=@shoal/source', '--input-type=module', '--eval', program]
    const { stdout, stderr } = await promisify(execFile)(
      'sh',
      ['-c', 'ulimit -f 16; exec "$@"', 'sh', ...node],
      { cwd: import.meta.dirname },
    )
    expect(stderr).toBe('')
    expect(stdout).toBe('EFBIG\n1\n')
    expect(await inDirectory()).toEqual(['checkpoint-1.safetensors', 'checkpoints.json'])
  })

  it('are abandoned when whoever is asked at the last moment objects', async () => {
    const checkpoints = new Checkpoints(directory)
    await saved(checkpoints, [[1, 0]])
    await using session = new Session()
    await session.initialize(v)
    const asked: string[][] = []
    const confirm = async (): Promise<void> => {
      asked.push(await inDirectory())
    }
    const objection = new Error('somebody else saves now')
    const refuse = async (): Promise<void> => {
      await confirm()
      throw objection
    }
    await expect(checkpoints.save(session, [v], { step: 2, confirm: refuse })).rejects.toBe(objection)
    expect(asked[0]).toContainEqual(expect.stringMatching(/^checkpoint-2\.safetensors\..*\.part$/))
    expect(await inDirectory()).toEqual(['checkpoint-1.safetensors', 'checkpoints.json'])
    expect(await checkpoints.latest()).toBe(1)
    await checkpoints.save(session, [v], { step: 2, confirm })
    expect(await checkpoints.latest()).toBe(2)
    expect(await new Checkpoints(join(directory, 'nothing')).latest()).toBeUndefined()
  })

  it('are not restored over what somebody has restored since they were read', async () => {
    const checkpoints = new Checkpoints(directory)
    await saved(checkpoints, [[1, 0]])
    await using session = new Session()
    await session.write(v, ndarray([7, 7]))
    const objection = new Error('somebody else has restored them')
    const confirm = () => Promise.reject(objection)
    await expect(checkpoints.restore(session, [v], { confirm })).rejects.toBe(objection)
    expect((await session.run(v)).toArray()).toEqual([7, 7])
    await checkpoints.restore(session, [v], { confirm: async () => {} })
    expect((await session.run(v)).toArray()).toEqual([1, 1])
  })
  it('list all that does not fit, and then change nothing', async () => {
    await using session = new Session()
    const checkpoints = new Checkpoints(directory)
    const before = [variable([1, 2], { name: 'a' }), variable(1, { name: 'b' }), variable(3, { name: 'c' })]
    await session.initialize(before)
    await checkpoints.save(session, before, { step: 1 })
    await using other = new Session()
    const after = [
      variable([[7, 8]], { name: 'a' }),
      variable(constant(7, 'int32'), { name: 'b' }),
      variable(7, { name: 'c' }),
      variable(7, { name: 'd' }),
    ]
    await other.initialize(after)
    const attempt = checkpoints.restore(other, after)
    await expect(attempt).rejects.toThrow(CheckpointError)
    await expect(attempt).rejects.toThrow(
      "'d' is missing; 'a' is float32[2], the variable float32[1, 2]; 'b' is float32[], the variable int32[]",
    )
    await expect(attempt).rejects.toThrow('checkpoint-1.safetensors do not fit')
    await expect(attempt).rejects.toThrow("; there are 'a' float32[2], 'b' float32[], 'c' float32[]")
    expect((await other.run(after[2]!)).item()).toBe(7)
    const { missing } = await checkpoints.restore(other, after.slice(2), { allowMissing: true })
    expect(missing).toEqual(['d'])
    expect((await other.run(after.slice(2))).map((x) => x.item())).toEqual([3, 7])
  })

  it('hold what any reader of safetensors reads', async () => {
    await saved(new Checkpoints(directory), [[5, 0.5]])
    const { tensors, metadata } = await readCheckpoint(join(directory, 'checkpoint-5.safetensors'))
    expect(tensors.get('v')!.toArray()).toEqual([5, 5])
    expect(metadata).toEqual({ step: '5', metrics: '{"loss":0.5}' })
    await expect(readCheckpoint(join(directory, 'checkpoint-6.safetensors'))).rejects.toThrow('is not there')
  })

  it('say what they cannot do', async () => {
    await using session = new Session()
    const checkpoints = new Checkpoints(directory)
    await expect(checkpoints.restore(session, [v])).rejects.toThrow('no checkpoint in')
    await expect(checkpoints.restore(session, [v], { which: 'best' })).rejects.toThrow(ValueError)
    await expect(checkpoints.save(session, [v], { step: 0.5 })).rejects.toThrow(ValueError)
    await expect(checkpoints.save(session, [v], { step: 1 })).rejects.toThrow(UninitializedError)
    expect(() => new Checkpoints(directory, { keep: 0 })).toThrow(ValueError)
    expect(await inDirectory()).toEqual([])
  })
})
