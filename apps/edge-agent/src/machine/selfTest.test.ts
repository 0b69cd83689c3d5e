import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { SimulatedClock } from '@shoal/distributed'
import { describe, expect, it } from 'vitest'
import { TemporaryFolder } from '../testing/machineTrees.ts'
import { runSelfTest, type SelfTest } from './selfTest.ts'

const speed = '{"speed":{"gflops":1,"gigabytesPerSecond":2}}'

/** Runs a program in place of the one that measures. */
async function runInstead(
  program: string,
  more: object = {},
): Promise<{ readonly found: SelfTest; readonly lines: readonly string[] }> {
  using folder = new TemporaryFolder({ 'program.mjs': program })
  const lines: string[] = []
  const file = pathToFileURL(join(folder.path, 'program.mjs'))
  const found = await runSelfTest({ log: (line) => void lines.push(line), program: file, ...more })
  return { found, lines }
}

describe('the self-test', () => {
  it('measures this machine in a process of its own', async () => {
    const lines: string[] = []
    const { speed, adapters } = await runSelfTest({ log: (line) => void lines.push(line) })
    expect(speed.gflops).toBeGreaterThan(0.01)
    expect(speed.gflops).toBeLessThan(1000)
    expect(speed.gigabytesPerSecond).toBeGreaterThan(0.01)
    expect(adapters.every((name) => name.length > 0)).toBe(true)
    expect(lines).toEqual([])
  })

  it('keeps the speed where looking for a GPU ends the process, and says so', async () => {
    const dying = `console.log('${speed}'); process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000)`
    expect(await runInstead(dying)).toEqual({
      found: { speed: { gflops: 1, gigabytesPerSecond: 2 }, adapters: [] },
      lines: ['no GPU is offered: the program that looked for one ended with SIGSEGV: it said nothing'],
    })
  })

  it('takes what a driver prints for no result', async () => {
    const talking = `console.log('Vulkan here'); console.log('${speed}'); console.log('{"adapters":["A GPU"]}')`
    expect((await runInstead(talking)).found.adapters).toEqual(['A GPU'])
  })

  it('fails with the last words of a process that found nothing, and of one that says what it should not', async () => {
    await expect(runInstead(`console.error('no room'); process.exit(3)`)).rejects.toMatchObject({
      name: 'SelfTestError',
      message: 'the self-test of this machine ended with 3: no room',
    })
    await expect(runInstead(`console.log('{"speed":{}}')`)).rejects.toMatchObject({ name: 'SelfTestError' })
  })

  it('is ended when it takes too long, or is no longer wanted', async () => {
    const clock = new SimulatedClock()
    const endless = 'setInterval(() => {}, 1000)'
    const late = Promise.allSettled([runInstead(endless, { clock, deadlineMs: 100 })])
    await clock.run()
    expect(await late).toMatchObject([
      {
        reason: { name: 'DeadlineError', message: 'the self-test was not done after 100 ms, and was ended' },
      },
    ])
    const control = new AbortController()
    const unwanted = runInstead(endless, { signal: control.signal })
    control.abort(new Error('the agent ends'))
    await expect(unwanted).rejects.toThrow('the agent ends')
    await expect(runInstead(endless, { signal: control.signal })).rejects.toThrow('the agent ends')
  })
})
