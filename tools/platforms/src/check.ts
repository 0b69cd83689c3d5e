// The engines beside the pinned Node: the cpu device must pass its suite on each of them, with the same bits, and the webgpu device in a page.
import { join } from 'node:path'
import { type Check, single, type Outcome } from '../../check/outcome.ts'
import { runVitest } from '../../check/vitest.ts'
import { type Ended, run } from '../../run.ts'
import { has, root } from '../../workspace.ts'
import { findChromium } from './chromium.ts'
import { asEnvironment, type Page } from './page.ts'
import { testsOnOtherNodes } from './selection.ts'

const folder = 'tools/platforms'

/** The oldest Node that the packages support, and the one between it and the pinned one. */
const nodes = ['22', '24']

/** Checks of engines run beside each other. */
const oneWorker = '--maxWorkers=1'

/** Prints the bits of a training run by the built packages, as whoever installs them has them: without the condition that leads to sources. */
const printBits = (program: string, ...flags: string[]): Promise<Ended> =>
  run(program, [...flags, `${folder}/src/printBits.ts`])

/** The bits of the pinned Node: the outcome's output, which has failed where threads disagree. */
export const checkBits: Check = async () =>
  single('bits of a training run on 1, 2 and 4 threads', await printBits('node'))

/**
 * A check of each engine that is there; of one that is not it says why.
 * @param bits those of the pinned Node
 */
export function platformChecks(bits: string): readonly Check[] {
  return [
    ...nodes.map((version) => () => testNode(version)),
    () => testPage('the cpu device in a page with threads', { device: 'cpu', isolated: true, bits }),
    () => testPage('the cpu device in a page without threads', { device: 'cpu', isolated: false, bits }),
    () => testPage('the webgpu device in a page', { device: 'webgpu', isolated: true, bits }),
    ...nodes.map((version) => () => compareBits(version, bits)),
  ]
}

/** The program that is this Node, or undefined where no package has it. */
function findNode(version: string): string | undefined {
  const node = `${folder}/node_modules/node-${version}-${process.platform}-${process.arch}/bin/node`
  return has(node) ? join(root, node) : undefined
}

async function testNode(version: string): Promise<Outcome> {
  const name = `the cpu device on Node ${version}`
  const program = findNode(version)
  if (program === undefined) return untested(name, 'no package has it for this system')
  const vitest = [program, join(root, 'node_modules/vitest/vitest.mjs')] as const
  const env = { SHOAL_TEST_EXTENT: nodes.indexOf(version) % 2 === 0 ? 'evens' : 'odds' }
  return runVitest({ name, vitest, args: [oneWorker, ...testsOnOtherNodes(version === nodes[0])], env })
}

async function compareBits(version: string, bits: string): Promise<Outcome> {
  const name = `bits on Node ${version}`
  const program = findNode(version)
  if (program === undefined) return untested(name, 'no package has it for this system')
  const printed = await printBits(program, '--disable-warning=ExperimentalWarning')
  return single(name, {
    ...printed,
    ok: printed.ok && printed.output.trim() === bits,
    output: `${printed.output}${bits} on the pinned Node\n`,
  })
}

async function testPage(name: string, page: Page): Promise<Outcome> {
  if (findChromium() === undefined) return untested(name, 'there is no Chromium on the path')
  // The vitest that has a browser beside it.
  const vitest = ['node', join(root, folder, 'node_modules/vitest/vitest.mjs')] as const
  const args = [oneWorker, '--config', `${folder}/chromium.config.ts`]
  return runVitest({ name, vitest, args, env: asEnvironment(page) })
}

const untested = (name: string, why: string): Outcome => ({
  name: `${name} is not tested: ${why}`,
  passed: 0,
  failed: 0,
  output: '',
  seconds: 0,
})
