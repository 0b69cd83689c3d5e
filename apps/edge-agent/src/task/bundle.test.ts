// Programs as one file: the same bytes each time, and errors that say where and what to do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { bundleProgram } from './bundle.ts'
import { BundleError } from './errors.ts'
import { LaunchPad } from './testing/launching.ts'

const folder = mkdtempSync(join(tmpdir(), 'shoal-bundle-'))
const pad = new LaunchPad()
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await pad[Symbol.asyncDispose]()
})
const runtime = fileURLToPath(new URL('testing/portRuntime.ts', import.meta.url))

function bundled(source: string, name = 'train.ts'): Promise<Uint8Array> {
  writeFileSync(join(folder, name), source)
  return bundleProgram(join(folder, name), { runtime })
}

describe('a bundle', () => {
  it('has the same bytes for the same sources, and no path of this machine', async () => {
    const source = `import { sum } from '@shoal/core'\nexport default () => void sum`
    const [one, other] = [await bundled(source), await bundled(source)]
    expect(Buffer.compare(one, other)).toBe(0)
    expect(Buffer.from(one).includes(folder)).toBe(false)
  })

  it('runs, and its stacks lead back to the sources', async () => {
    writeFileSync(join(folder, 'part.cjs'), `module.exports = { sep: require('node:path').sep }`)
    const source = `
      import { sep } from './part.cjs'
      type Word = string
      function fails(word: Word): never {
        throw new RangeError(word + sep)
      }
      fails('here')
      export default () => undefined`
    const task = await pad.launch(await bundled(source))
    const end = await task.ended
    expect(end).toMatchObject({
      message: expect.stringMatching(/RangeError: here\/\n\s+at fails \(.*train\.ts:5:15\)/),
    })
  })

  it.each([
    ['does not compile', 'export default () => {\n  let a = ;\n}', /train\.ts:2:11: Unexpected ";"/],
    [
      'has no default export',
      'export const a = 1',
      /"default"; a program ends with: export default defineProgram/,
    ],
    [
      'imports what is not there',
      `import './no.ts'\nexport default 1`,
      /train\.ts:1:8: .*"\.\/no\.ts"; is the path right/,
    ],
    ['imports what is not installed', `import 'nopackage'\nexport default 1`, /"nopackage"; install it/],
    ['imports an addon', `import './a.node'\nexport default 1`, /native addons do not run in tasks/],
  ])('is not made of a program that %s', async (_, source, message) => {
    writeFileSync(join(folder, 'a.node'), '')
    const failure = bundled(source)
    await expect(failure).rejects.toThrow(BundleError)
    await expect(failure).rejects.toThrow(message)
  })

  it('is not made of nothing', async () => {
    await expect(bundleProgram(join(folder, 'no.ts'))).rejects.toThrow(/there is no program .*no\.ts/)
  })
})
