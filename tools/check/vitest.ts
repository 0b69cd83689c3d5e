// All tests of the workspace as numbers: vitest's own report, read so that nothing that failed goes uncounted.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run.ts'
import type { Outcome } from './outcome.ts'

/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

/**
 * Counts a report. A file that fails without a failing test (it does not load, a hook throws) counts as one failure, and so
 * does a run that ends badly although every test passed, or that gave no report.
 */
export function countTests(
  report: VitestReport | undefined,
  ok: boolean,
): Pick<Outcome, 'passed' | 'failed'> {
  if (!report) return { passed: 0, failed: 1 }
  const passed = report.numPassedTests
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  )
  const failed = report.numFailedTests + brokenFiles.length
  return { passed, failed: failed === 0 && !ok ? 1 : failed }
}

/** What is run, and on which engine. */
export interface VitestRun {
  /** Default `tests`. */
  readonly name?: string
  /** The program that is vitest, with its first arguments. Default: the workspace's, on the pinned Node. */
  readonly vitest?: readonly [program: string, ...args: string[]]
  /** What is run of all tests, in vitest's own arguments. Default: everything. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Runs tests once. */
export async function runVitest(options: VitestRun = {}): Promise<Outcome> {
  const { name = 'tests', vitest = ['vitest'], args = [], env = {} } = options
  const [program, ...before] = vitest
  const folder = mkdtempSync(join(tmpdir(), 'shoal-tests-'))
  try {
    const file = join(folder, 'report.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const { ok, output, seconds } = await run(program, [...before, 'run', ...args, ...reporters], {
      timeoutMs: 480_000,
      env,
    })
    return { name, ...countTests(readReport(file), ok), output, seconds }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    // No report, or half of one: the run broke off, which countTests counts.
    return undefined
  }
}
