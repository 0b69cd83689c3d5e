// The engines beside the pinned Node: the suites of the kernels must pass on each of them, and all must compute the same bits.
import { join } from 'node:path'
import { single, type Outcome } from '../../check/outcome.ts'
import { runVitest } from '../../check/vitest.ts'
import { run } from '../../run.ts'
import { has, root } from '../../workspace.ts'
import { findChromium } from './chromium.ts'
import { asEnvironment } from './page.ts'

const folder = 'tools/platforms'

/** The oldest Node that the packages support, and the one between it and the pinned one. */
const nodes = ['22', '24']

/** Checks every engine that is there; of one that is not it says why. Engines take turns two by two, as each run keeps one processor busy. */
export async function* checkPlatforms(): AsyncGenerator<Outcome> {
  // Built packages, as whoever installs them has them: without the condition that leads to sources.
  const bitsHere = await run('node', [`${folder}/src/printBits.ts`])
  yield single('bits of a training run on 1, 2 and 4 threads', bitsHere)
  if (!bitsHere.ok) return
  const bits = bitsHere.output.trim()
  yield* (await Promise.all(nodes.map((version) => checkNode(version, bits)))).flat()
  yield* await Promise.all([true, false].map((isolated) => checkPage(isolated, bits)))
}

async function checkNode(version: string, bits: string): Promise<readonly Outcome[]> {
  const system = `${process.platform}-${process.arch}`
  const node = `${folder}/node_modules/node-${version}-${system}/bin/node`
  if (!has(node)) return [untested(`Node ${version}`, `no package has it for ${system}`)]
  const program = join(root, node)
  const printed = await run(program, ['--disable-warning=ExperimentalWarning', `${folder}/src/printBits.ts`])
  const same = single(`bits on Node ${version}`, {
    ...printed,
    ok: printed.ok && printed.output.trim() === bits,
    output: `${printed.output}${bits} on the pinned Node\n`,
  })
  const args = ['--project', '@shoal/kernels-*']
  const vitest = [program, join(root, 'node_modules/vitest/vitest.mjs')] as const
  return [same, await runVitest({ name: `kernels on Node ${version}`, vitest, args })]
}

async function checkPage(isolated: boolean, bits: string): Promise<Outcome> {
  const name = isolated ? 'a page with threads' : 'a page without threads'
  if (findChromium() === undefined) return untested(name, 'there is no Chromium on the path')
  // The vitest that has a browser beside it.
  const vitest = ['node', join(root, folder, 'node_modules/vitest/vitest.mjs')] as const
  const args = ['--config', `${folder}/chromium.config.ts`]
  return runVitest({ name: `kernels in ${name}`, vitest, args, env: asEnvironment({ isolated, bits }) })
}

const untested = (name: string, why: string): Outcome => ({
  name: `${name} is not tested: ${why}`,
  passed: 0,
  failed: 0,
  output: '',
  seconds: 0,
})
