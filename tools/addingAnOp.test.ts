// The page that tells how to add an op, followed to the letter: its op and its case, on every device.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { OpCase } from '../packages/conformance/src/case.ts'
import { checkDefinition, checkOnDevice } from '../packages/conformance/src/caseChecks.ts'
import type { Device } from '../packages/core/src/index.ts'
import { reference } from '../packages/core/src/index.ts'
import { cpu } from '../packages/kernels-cpu/src/index.ts'
import { assemble } from './codeblocks/assemble.ts'
import { extractBlocks } from './codeblocks/extract.ts'
import { linkedFolder } from './codeblocks/linkedFolder.ts'
import { text } from './workspace.ts'

const blocks = extractBlocks(text('docs/adding-an-op.md')).filter(({ language }) => language === 'ts')
const [op, opcase] = blocks

async function followThePage(): Promise<OpCase> {
  const path = join(linkedFolder('.adding-an-op'), 'softshrink.ts')
  writeFileSync(path, assemble([op!, opcase!], path))
  const { softshrinkCase } = (await import(/* @vite-ignore */ path)) as { softshrinkCase: OpCase }
  return softshrinkCase
}

describe('docs/adding-an-op.md', () => {
  it('shows one op and one case', () => {
    expect(op!.code).toContain('defineOp(')
    expect(opcase!.code).toContain('opCase(')
  })

  it('adds an op that is right, differentiable, and takes sizes that are names', async () => {
    await checkDefinition(await followThePage())
  })

  it.each<[string, () => Device]>([
    ['reference', () => reference()],
    ['cpu', () => cpu({ threads: 1 })],
  ])('adds it to %s', async (_, open) => {
    const added = await followThePage()
    await checkOnDevice(added, 'float32', [open()])
    await checkOnDevice(added, 'float64', [open()])
  })
})
