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

/** Runs every test of the workspace once. */
export async function runVitest(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-tests-'))
  try {
    const file = join(folder, 'report.json')
    const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const { ok, output, seconds } = await run('vitest', args, { timeoutMs: 480_000 })
    return { name: 'tests', ...countTests(readReport(file), ok), output, seconds }
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
