// The page that tells how to add an op, followed to the letter: its op, its case, and its test file, which registers the tests.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { assemble } from './codeblocks/assemble.ts'
import { extractBlocks } from './codeblocks/extract.ts'
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

const path = join(linkedFolder('.adding-an-op'), 'softshrink.ts')
writeFileSync(path, assemble([op!, opcase!, suite!], path))
await import(/* @vite-ignore */ path)
