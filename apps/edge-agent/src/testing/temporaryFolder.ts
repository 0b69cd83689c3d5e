// A folder for one test file, gone afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Makes an empty folder that is removed when all tests of the file are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
