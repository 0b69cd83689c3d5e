import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findChromium } from './chromium.ts'

describe('findChromium', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-chromium-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** A path of folders, each with some programs. */
  const pathWith = (programs: readonly (readonly string[])[]): string => {
    const folders = programs.map((names, i) => {
      const at = join(folder, String(i))
      mkdirSync(at)
      for (const name of names) writeFileSync(join(at, name), '')
      return at
    })
    return folders.join(delimiter)
  }

  it('prefers what has no windows, wherever on the path it is', () => {
    const path = pathWith([['google-chrome', 'chromium'], ['chromium-headless-shell']])
    expect(findChromium(path)).toBe(join(folder, '1', 'chromium-headless-shell'))
  })

  it('takes the first folder that has it', () => {
    expect(findChromium(pathWith([[], ['chromium'], ['chromium']]))).toBe(join(folder, '1', 'chromium'))
  })

  it('answers nothing where there is none', () => {
    expect(findChromium(pathWith([['firefox']]))).toBeUndefined()
  })
})
