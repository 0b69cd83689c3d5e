// Which versions of Node are refused.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { tooOld } from './engine.ts'

describe('tooOld', () => {
  it('names what is needed, and what is there', () => {
    expect(tooOld('20.20.2')).toBe(
      'error: shoal needs Node 22.18 or newer, and its agent Node 26; this is Node 20.20.2',
    )
    expect(tooOld('22.17.1')).toContain('this is Node 22.17.1')
  })

  it('takes what the manifest of the package says', () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
    const { engines } = JSON.parse(manifest) as { readonly engines: { readonly node: string } }
    const first = engines.node.replace('>=', '')
    expect([first, '22.20.0', '24.0.0', '26.10.0'].map((version) => tooOld(`${version}.0`))).toEqual(
      Array<undefined>(4).fill(undefined),
    )
  })
})
