// Listing, watching, leaving and stopping jobs, against an agent whose answers are written down.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { event, job, submitted } from '../testing/events.ts'
import { ScriptedJob } from '../testing/scriptedJob.ts'
import { screen, startShoal, testShell } from '../testing/shells.ts'
import { TestAgent } from '../testing/testAgent.ts'
import { Terminal } from '../terminal/terminal.ts'

const running = event(1, { kind: 'state', state: 'running', attempt: 0, reason: '' })
const started = event(2, { kind: 'taskStarted', task: 'worker:0', attempt: 0, node: 'pi-1' })
const wrote = (line: string, stream: 'stdout' | 'stderr' = 'stdout') =>
  event(3, { kind: 'log', task: 'worker:0', attempt: 0, node: 'pi-1', stream, line })
const ended = (state: 'succeeded' | 'failed', reason = '') =>
  event(4, { kind: 'state', state, attempt: 0, reason })

let digits: ScriptedJob
let agent: TestAgent
beforeEach(async () => {
  digits = new ScriptedJob(submitted('digits'), running, started, wrote('epoch 1'))
  agent = await TestAgent.start(...digits.methods)
})
afterEach(() => agent[Symbol.asyncDispose]())
const shoal = (...args: readonly string[]) => testShell().run(...args, '--folder', agent.folder)

describe('shoal jobs', () => {
  it('lists jobs, and shows one by its name', async () => {
    expect((await shoal('jobs')).out).toBe(
      'job             name    kind   state    tasks    begun\nj-aaaaaaaaaaaa  digits  train  running    1/1  2 h ago\n',
    )
    const { out } = await shoal('jobs', 'show', 'digits')
    expect(out).toContain('kind      train, all tasks or none\n')
    expect(out).toContain('worker:0  pi-1  running\n')
    expect(JSON.parse((await shoal('jobs', 'show', 'aaaa', '--json')).out)).toEqual(digits.view)
  })

  it('does not know every job', async () => {
    const { code, err } = await shoal('stop', 'nobody')
    expect(code).toBe(5)
    expect(err).toContain("there is no job 'nobody'")
  })

  it('stops one', async () => {
    expect((await shoal('stop', job, '--reason', 'too hot')).code).toBe(0)
    expect(digits.stops).toEqual(['too hot'])
  })
})

describe('shoal logs', () => {
  it('prints what is there, of the task that is meant', async () => {
    expect(await shoal('logs', 'digits')).toEqual({ code: 0, out: 'worker:0 epoch 1\n', err: '' })
    expect((await shoal('logs', 'digits', '--task', 'worker')).out).toBe('worker:0 epoch 1\n')
    expect((await shoal('logs', 'digits', '--task', 'ps')).out).toBe('')
  })

  it('goes on until the job is over', async () => {
    const shown = shoal('logs', '-f', 'digits')
    digits.tell(wrote('epoch 2', 'stderr'), ended('failed'))
    expect(await shown).toEqual({ code: 0, out: 'worker:0 epoch 1\nworker:0 epoch 2\n', err: '' })
  })
})

describe('shoal attach', () => {
  it('ends well with a job that does', async () => {
    digits.tell(ended('succeeded'))
    const { code, out } = await shoal('attach', 'digits')
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      'digits (j-aaaaaaaaaaaa) was submitted at pi-1',
      'running',
      'worker:0 runs on pi-1',
      'worker:0 epoch 1',
      'succeeded',
      '',
    ])
  })

  it('believes the job itself where the last event is missing', async () => {
    digits.is = 'succeeded'
    expect((await shoal('attach', 'digits')).code).toBe(0)
    expect(digits.waits).toEqual([10_000, 1000])
    digits.is = 'failed'
    expect((await shoal('attach', 'digits')).code).toBe(1)
  })

  it('fails with a job that does, as JSON a line for each event', async () => {
    digits.tell(ended('failed', 'it threw'))
    const { code, out, err } = await shoal('attach', 'digits', '--json')
    expect(code).toBe(1)
    const lines = out.trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual([
      'submitted',
      'state',
      'taskStarted',
      'log',
      'state',
    ])
    expect(JSON.parse(err)).toMatchObject({
      error: { kind: 'failed', message: `digits (${job}) has failed: it threw` },
    })
  })

  it('goes on where it was when the agent comes back', async () => {
    const shell = testShell()
    const shown = shell.run('attach', 'digits', '--folder', agent.folder)
    await expect.poll(() => digits.asked).toEqual([0, 4])
    await agent.hangUp()
    await expect.poll(() => shell.text.err).toContain('the agent is not there, waiting for it')
    await agent.listen(...digits.methods)
    digits.tell(ended('succeeded'))
    const { code, out, err } = await shown
    expect(code).toBe(0)
    expect(out.match(/epoch 1/g)).toHaveLength(1)
    expect(digits.asked.slice(2)).toContain(4)
    expect(err).toContain('the agent is there again')
  })

  it('draws a picture on a terminal, and scrolls what tasks write above it', async () => {
    const out = screen({ isTTY: true, columns: 80, rows: 24 })
    digits.tell(wrote('epoch 2'), ended('succeeded'))
    expect(
      (await testShell({ out: new Terminal(out) }).run('attach', 'digits', '--folder', agent.folder)).code,
    ).toBe(0)
    const text = out.text()
    expect(text).toContain('\u001B[')
    const last = text.slice(text.lastIndexOf('digits'))
    expect(last).toContain('succeeded')
    expect(last).toContain('worker:0')
    expect(text.indexOf('epoch 2')).toBeLessThan(text.lastIndexOf('digits'))
  })
})

describe('Ctrl-C', () => {
  it('goes away from a job, and says how to come back', async () => {
    const fired: (() => void)[] = []
    const clock = {
      now: () => 0,
      after(ms: number, action: () => void) {
        if (ms === 2000) fired.push(action)
        return () => undefined
      },
    }
    const shell = testShell({ clock })
    const shown = shell.run('attach', 'digits', '--folder', agent.folder)
    await expect.poll(() => digits.asked).toHaveLength(2)
    shell.interrupt()
    await expect.poll(() => shell.text.err).toContain(`Watch it again: shoal attach ${job}`)
    fired.forEach((action) => action())
    expect((await shown).code).toBe(130)
    expect(digits.stops).toEqual([])
  })

  it('twice asks the job to stop', async () => {
    const child = startShoal(['attach', 'digits', '--folder', agent.folder])
    await child.wrote('epoch 1')
    child.signal('SIGINT')
    await child.wrote('The job goes on.')
    // What comes at once is taken for the same Ctrl-C.
    const again = setInterval(() => child.signal('SIGINT'), 100)
    const { code, err } = await child.ended
    clearInterval(again)
    expect(code).toBe(130)
    expect(digits.stops).toEqual(['stopped by Ctrl-C'])
    expect(err).toContain(`${job} is asked to stop.`)
  })
})
