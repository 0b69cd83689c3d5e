import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TemporaryFolder, type Tree } from '../testing/machineTrees.ts'
import { examineGpu } from './gpu.ts'

const card: Tree = { 'dev/dri/card0': '', 'dev/dri/renderD128': '' }
const loader: Tree = { 'usr/lib64/libvulkan.so.1': '' }
const none = { problem: 'WebGPU found no adapter' }
const software = { adapter: 'llvmpipe', software: true }

async function onMachine(tree: Tree, found: object = none) {
  using folder = new TemporaryFolder(tree)
  return await examineGpu({ root: folder.path, adapter: async () => found })
}

/** What is found by a user for whom files can be closed: root without the right to open them all the same, or whoever is not root. */
function foundBySomebody(root: string): unknown {
  const program = `
    import { examineGpu } from ${JSON.stringify(new URL('./gpu.ts', import.meta.url).href)}
    console.log(JSON.stringify(await examineGpu({ root: ${JSON.stringify(root)} })))`
  const rights = '-dac_override,-dac_read_search'
  const without = ['setpriv', '--inh-caps', rights, '--bounding-set', rights, '--']
  const node = [process.execPath, '--conditions=@shoal/source', '--input-type=module', '--eval', program]
  const [command, ...args] = process.getuid!() === 0 ? [...without, ...node] : node
  return JSON.parse(execFileSync(command!, args, { cwd: import.meta.dirname, encoding: 'utf8' }))
}

describe('the examination of the GPU', () => {
  it('finds a device that its user may not use', () => {
    using folder = new TemporaryFolder(card)
    chmodSync(join(folder.path, 'dev/dri/renderD128'), 0o000)
    expect(foundBySomebody(folder.path)).toMatchObject([
      {
        verdict: 'fault',
        what: expect.stringMatching(/may not use it: \/dev\/dri\/renderD128$/) as string,
        remedy: expect.stringContaining('usermod -aG render,video'),
      },
    ])
  })

  it('finds that the loader of Vulkan is missing', async () => {
    expect(await onMachine(card)).toMatchObject([
      {
        verdict: 'fault',
        what: expect.stringContaining('loader of Vulkan is missing'),
        remedy: expect.stringContaining('libvulkan1'),
      },
    ])
  })

  it('finds that a driver is missing, where there is none or one in software alone', async () => {
    const wrong = (what: string) => [{ verdict: 'fault', what: expect.stringContaining(what) }]
    expect(await onMachine({ ...card, ...loader })).toMatchObject(wrong('WebGPU has none: WebGPU found no'))
    expect(await onMachine({ ...card, ...loader }, software)).toMatchObject(wrong('only llvmpipe'))
  })

  it('takes it for a choice where the package that reaches GPUs is not installed', async () => {
    const problem = "add the npm package 'webgpu' (npm install webgpu)"
    expect(await onMachine({ 'dev/nvidia0': '', 'dev/nvidiactl': '' }, { problem })).toMatchObject([
      { verdict: 'unknown', what: `there is a GPU (/dev/nvidia0) that is not used. ${problem}` },
    ])
  })

  it('finds nothing wrong with a GPU that works, nor with a machine that has none', async () => {
    expect(await onMachine(card, { adapter: 'Apple M4', software: false })).toMatchObject([
      { verdict: 'good', what: 'WebGPU has Apple M4' },
    ])
    expect(await onMachine({})).toMatchObject([
      { verdict: 'good', what: expect.stringContaining('computes on its processor') },
    ])
    expect(await onMachine({}, software)).toMatchObject([
      { verdict: 'unknown', what: expect.stringContaining('no gain') },
    ])
  })

  it('tells of a driver that ends the process', async () => {
    const crash = async () => {
      throw new Error('Command failed: node adapterProcess.ts\nSegmentation fault')
    }
    using folder = new TemporaryFolder(card)
    expect(await examineGpu({ root: folder.path, adapter: crash })).toMatchObject([
      { verdict: 'fault', what: 'what looks for a GPU has failed: Segmentation fault' },
    ])
  })
})
