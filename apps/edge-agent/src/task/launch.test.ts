// Tasks in real processes: what their agent does for them, how they end, and that nothing of them is left.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { bundleProgram } from './bundle.ts'
import { checkEngine } from './command.ts'
import { beginningOf } from './processes.ts'
import { SocketPairs } from './socketPairs.ts'
import { allOf, LaunchPad, RecordedServices } from './testing/launching.ts'

const pad = new LaunchPad()
const pairs = await SocketPairs.open()
afterAll(async () => {
  await pad[Symbol.asyncDispose]()
  await pairs[Symbol.asyncDispose]()
})
const path = (name: string): string => fileURLToPath(new URL(`testing/${name}.ts`, import.meta.url))
const runtime = path('portRuntime')
const limits = { memoryBytes: 2 ** 29, timeMs: 60_000 }

describe('a task', () => {
  it('is served by its agent, is told what happens, and stops when it is asked to', async () => {
    const services = new RecordedServices()
    services.documents.set('j-111111111111seen', { version: 4, value: { a: [1, null] } })
    const far = Promise.withResolvers<string>()
    services.connect = async (_, { signal }) => {
      signal.throwIfAborted()
      const [near, other] = await pairs.pair()
      other.end('from the other side')
      void allOf(other).then(far.resolve, far.reject)
      return near
    }
    const task = await pad.launch(await bundleProgram(path('asking'), { runtime }), { services })
    const [ours, theirs] = await pairs.pair()
    task.incoming('worker:1', theirs)
    task.living(['worker:0', 'worker:1'])

    expect(await allOf(ours)).toBe('worker greets worker:1')
    expect(await far.promise).toBe('hello')
    await services.firstLine.promise
    task.stop('enough', 20_000)
    expect(await task.ended).toEqual({ kind: 'stopped' })
    const values = Object.fromEntries([...services.documents].map(([key, { value }]) => [key, value]))
    expect(values).toEqual({
      'j-111111111111seen': { a: [1, null] },
      living: ['worker:0', 'worker:1'],
      documents: [4, { a: [1, null] }, true],
      blob: true,
      error: expect.stringContaining('there is no blob 000'),
      withdrawn: expect.stringContaining('no matter'),
      stream: 'from the other side',
    })
    const steps = services.told.slice(0, 600)
    expect(steps).toEqual(steps.map((_, step) => ({ step, values: { loss: 1 / (step + 1) } })))
    expect(services.told.slice(600)).toEqual([
      { trial: 3, state: 'complete', params: { rate: 0.1 }, value: 0.5 },
    ])
    expect(services.lines).toEqual([
      "stderr: 'odd' is NaN at step 0",
      'stderr: a line',
      'stdout: all is asked',
      'stdout: CancelledError: enough',
    ])
    expect(existsSync(task.folder)).toBe(false)
  })
})

describe('a program that', () => {
  /** Starts a program that is JavaScript, and says how it ended. */
  async function endOf(program: string, options: Parameters<LaunchPad['launch']>[1] = {}) {
    const task = await pad.launch(program, options)
    const end = await task.ended
    return { end, message: end.kind === 'failed' ? end.message : '', lines: task.services.lines }
  }

  it('throws is shown with its stack', async () => {
    const { message } = await endOf(`const f = () => { throw new TypeError('no such tensor') }\nf()`)
    expect(message).toContain('its process ended with code 1:')
    expect(message).toContain('TypeError: no such tensor\n    at f (')
    expect(message).toContain('program.mjs:1:')
  })

  it('loops for ever is ended when its time is over', async () => {
    const { message } = await endOf('for (;;);', { limits: { ...limits, timeMs: 300 } })
    expect(message).toBe('it ran longer than 0.3 s')
  })

  it('does not stop is ended after the grace', async () => {
    const services = new RecordedServices()
    const task = await pad.launch(`console.log('on'); for (;;);`, { services })
    await services.firstLine.promise
    task.stop('the job is over', 100)
    expect(await task.ended).toEqual({
      kind: 'failed',
      message: 'it was told to stop (the job is over), and had not after 0.1 s',
    })
  })

  it('eats memory is ended, in the heap and beside it', { timeout: 60_000 }, async () => {
    const memoryBytes = 2 ** 27
    const heap = `const all = []; for (;;) all.push(new Array(1000).fill(all.length))`
    const arrays = `const all = []; const eat = () => { all.push(new Uint8Array(2 ** 24).fill(1)); if (all.length < 40) setTimeout(eat, 10) }; eat(); setInterval(() => {}, 1000)`
    const wasm = `const memory = new WebAssembly.Memory({ initial: 4096 }); new Uint8Array(memory.buffer).fill(1); for (;;);`
    for (const program of [heap, arrays, wasm]) {
      const { message } = await endOf(program, { limits: { ...limits, memoryBytes } })
      expect(message).toContain('it took more memory than the 128 MiB that it asked for')
    }
  })

  it('fills the disk is ended', async () => {
    const program = `const { writeFileSync } = await import('node:fs'); writeFileSync('big', new Uint8Array(2 ** 21)); for (;;);`
    const { message } = await endOf(program, { limits: { ...limits, diskBytes: 2 ** 20 } })
    expect(message).toBe('its files take more than 1 MiB')
  })

  it('ends in other ways is told from one that is done', async () => {
    const [exit, unsettled, died] = await Promise.all([
      endOf('process.exit(0)'),
      endOf('process.channel.unref(); await new Promise(() => {})'),
      endOf(`process.channel.unref(); process.exitCode = 3`),
    ])
    expect(exit.message).toBe('its process ended before its program had: who calls process.exit?')
    expect(unsettled.message).toBe(
      'it waits for something that never comes: an await that nothing can settle',
    )
    expect(died.message).toBe('its process ended with code 3')
  })

  it('floods its output is held back', async () => {
    const flood = `const line = 'x'.repeat(9000) + '\\n'; for (let i = 0; i < 200; i++) process.stdout.write(i + line); process.channel.unref()`
    const { lines } = await endOf(flood)
    expect(lines).toHaveLength(200)
    expect(lines[0]).toBe(`stdout: 0${'x'.repeat(8191)}… (cut)`)
  })
})

describe('an agent', () => {
  it('ends its tasks when it is closed, whatever they do', async () => {
    const own = new LaunchPad()
    const services = new RecordedServices()
    const task = await own.launch(`console.log(process.pid); for (;;);`, { services })
    const pid = Number(await services.firstLine.promise)
    expect(await beginningOf(pid)).toBeDefined()
    expect(readdirSync(task.folder).toSorted()).toEqual([
      'confine.mjs',
      'process.json',
      'program.mjs',
      'work',
    ])
    await own[Symbol.asyncDispose]()
    expect(await task.ended).toEqual({ kind: 'failed', message: 'its agent was closed' })
    expect(await beginningOf(pid)).toBeUndefined()
  })

  it('says which Node it needs', () => {
    expect(() => checkEngine('24.21.0')).toThrow('under Node 26 or later; this is Node 24.21.0')
  })

  it('says why a task cannot be started', async () => {
    const folder = join(fileURLToPath(import.meta.url), 'folder')
    await expect(pad.launch('', { folder })).rejects.toThrow('a task cannot be started: ENOTDIR')
  })
})
