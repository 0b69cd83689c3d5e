// The page that tells how to add an op, followed to the letter: its op, its case, and its test file, which registers the tests.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { assemble } from './codeblocks/assemble.ts'
import { type CodeBlock, extractBlocks } from './codeblocks/extract.ts'
import { linkedFolder } from './codeblocks/linkedFolder.ts'
import { text } from './workspace.ts'

const blocks = extractBlocks(text('docs/adding-an-op.md'))
const [op, opcase] = blocks.filter(({ language }) => language === 'ts')
const [suite] = blocks.filter(({ language }) => language === 'mts')

describe('docs/adding-an-op.md', () => {
  it('shows one op, one case and the test file of the case', () => {
    expect(op!.code).toContain('defineOp(')
    expect(opcase!.code).toContain('opCase(')
    expect(suite!.code).toContain('caseSuite([softshrinkCase]')
  })
})

const folder = linkedFolder('.adding-an-op')

/** Runs what the page shows, with these devices in the place of the page's. */
async function follow(name: string, file: CodeBlock): Promise<void> {
  const path = join(folder, name)
  writeFileSync(path, assemble([op!, opcase!, file], path))
  await import(/* @vite-ignore */ path)
}

await follow('softshrink.ts', suite!)

// What the page says of devices holds for one that is not named there.
const onGpu = `import { caseSuite } from '@shoal/conformance/suites'
import { webgpu } from '@shoal/kernels-webgpu'
caseSuite([softshrinkCase], { webgpu: () => webgpu() })`
await follow('softshrinkOnGpu.ts', { ...suite!, code: onGpu })
