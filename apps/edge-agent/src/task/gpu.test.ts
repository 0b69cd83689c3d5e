// Tasks that ask for a GPU, in real processes: they compute on it, or say whose cannot be opened.
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { bundleProgram } from './bundle.ts'
import { confinedArguments } from './command.ts'
import { gpuGrant } from './gpu.ts'
import { findsGpu } from './testing/gpuHere.ts'
import { LaunchPad, someAssignment } from './testing/launching.ts'

const pad = new LaunchPad()
afterAll(() => pad[Symbol.asyncDispose]())
afterEach(() => {
  vi.unstubAllEnvs()
})
const assignment = { devices: ['webgpu' as const], cluster: { worker: 1 } }

describe('a task that asks for a GPU', () => {
  it('computes and trains on it, as on the processor', { timeout: 60_000 }, async ({ skip }) => {
    if (!(await findsGpu(pad))) skip('there is no GPU here, nor one in software')
    const program = fileURLToPath(new URL('testing/onGpu.ts', import.meta.url))
    const task = await pad.launch(await bundleProgram(program), { assignment })
    expect(await task.ended).toEqual({ kind: 'done' })
    const { difference, largest, ...result } = task.services.documents.get('result')!.value as {
      readonly difference: number
      readonly largest: number
    }
    expect(result).toEqual({
      devices: ['webgpu', 'cpu'],
      learnt: [expect.closeTo(0.5, 2), expect.closeTo(0.5, 2)],
      drivers: [],
    })
    expect(largest).toBeGreaterThan(1)
    expect(difference).toBeLessThan(1e-4 * largest)
  })

  it('says whose cannot be opened', { timeout: 60_000 }, async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/nowhere.json')
    vi.stubEnv('VK_ICD_FILENAMES', '/nowhere.json')
    const task = await pad.launch('', { assignment })
    expect(await task.ended).toEqual({
      kind: 'failed',
      message: expect.stringContaining("the GPU of 'pi-1' cannot be opened: WebGPU finds no adapter"),
    })
  })
})

describe('the right to load native code', () => {
  it('is for tasks that ask for a GPU', () => {
    const files = { folder: '/task', work: '/task/work', main: '/task/confine.mjs' }
    const grant = gpuGrant({ ...someAssignment, ...assignment })!
    expect(gpuGrant(someAssignment)).toBeUndefined()
    expect(confinedArguments(files, 2 ** 29).filter((flag) => /addons|allow/.test(flag))).toEqual([
      '--allow-fs-read=/task',
      '--allow-fs-write=/task/work',
      '--no-addons',
    ])
    expect(confinedArguments(files, 2 ** 29, grant).filter((flag) => /addons|allow/.test(flag))).toEqual([
      '--allow-fs-read=/task',
      '--allow-fs-write=/task/work',
      '--allow-addons',
      `--allow-fs-read=${grant.folder}`,
    ])
  })
})
