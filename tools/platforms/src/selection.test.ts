import { describe, expect, it } from 'vitest'
import { has, text } from '../../workspace.ts'
import { testsInPages, testsOnOtherNodes } from './selection.ts'

const suites = (chosen: readonly string[]) => chosen.filter((file) => /\bdeviceSuite\(/.test(text(file)))

describe.each([
  ['another Node', testsOnOtherNodes()],
  ['a page with threads', testsInPages(true)],
  ['a page without threads', testsInPages(false)],
])('the tests for %s', (_, chosen) => {
  it('are files that are there, each once', () => {
    expect(chosen.filter((file) => !has(file))).toEqual([])
    expect(new Set(chosen).size).toBe(chosen.length)
  })

  it('hold the suite of the device in one form', () => {
    expect(suites(chosen)).toHaveLength(1)
  })

  it('hold what touches threads, memory and generated code', () => {
    for (const name of ['memory', 'program', 'wasm/wasm'])
      expect(chosen).toContain(`packages/kernels-cpu/src/${name}.test.ts`)
  })
})

describe('the tests for a page', () => {
  it('are none that need Node', () => {
    const needy = testsInPages(true).filter((file) => /from 'node:/.test(text(file)))
    expect(needy).toEqual([])
  })
})
