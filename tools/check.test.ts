// How the checks count, and that what they start ends with them.
import { describe, expect, it } from 'vitest'
import { single } from './check/outcome.ts'
import { countTests } from './check/vitest.ts'
import { run } from './run.ts'

const file = (...statuses: string[]) => ({
  status: statuses.every((status) => status === 'passed') && statuses.length > 0 ? 'passed' : 'failed',
  assertionResults: statuses.map((status) => ({ status })),
})

describe('countTests', () => {
  it('takes the numbers of the report', () => {
    const report = {
      numPassedTests: 3,
      numFailedTests: 1,
      testResults: [file('passed', 'passed'), file('passed', 'failed')],
    }
    expect(countTests(report, false)).toEqual({ passed: 3, failed: 1 })
  })

  it('counts a file that did not load', () => {
    const report = { numPassedTests: 1, numFailedTests: 0, testResults: [file('passed'), file()] }
    expect(countTests(report, false)).toEqual({ passed: 1, failed: 1 })
  })

  it('counts a run that ended badly though every test passed', () => {
    const report = { numPassedTests: 1, numFailedTests: 0, testResults: [file('passed')] }
    expect(countTests(report, false)).toEqual({ passed: 1, failed: 1 })
    expect(countTests(report, true)).toEqual({ passed: 1, failed: 0 })
  })

  it('counts a run without a report as a failure', () => {
    expect(countTests(undefined, true)).toEqual({ passed: 0, failed: 1 })
  })
})

describe('run', () => {
  it('answers what was printed and how it ended', async () => {
    const good = await run('node', ['-e', 'console.log(1); console.error(2)'])
    expect(good).toMatchObject({ ok: true, output: expect.stringMatching(/^(1\n2|2\n1)\n$/) as string })
    const bad = await run('node', ['-e', 'process.exit(3)'])
    expect(single('x', bad)).toMatchObject({ passed: 0, failed: 1 })
  })

  it('fails for a program that is not there', async () => {
    expect(await run('no-such-program', [])).toMatchObject({
      ok: false,
      output: expect.stringContaining('ENOENT') as string,
    })
  })

  it('ends what a program leaves behind', async () => {
    // The child would hold the pipe open, and with it this test, for a minute.
    const { ok, seconds } = await run('bash', ['-c', 'sleep 60 & echo started'])
    expect(ok).toBe(true)
    expect(seconds).toBeLessThan(30)
  })

  it('stops a program that does not end', async () => {
    const { ok, output } = await run('bash', ['-c', 'sleep 60'], { timeoutMs: 100 })
    expect(ok).toBe(false)
    expect(output).toContain('still running after 0.1 s')
  })
})
