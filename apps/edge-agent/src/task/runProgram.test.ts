import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadModel, predictor } from '@shoal/train'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Assignment } from './services.ts'
import { bundleProgram } from './bundle.ts'
import { launchTask } from './launch.ts'
import { MemoryJob } from './testing/memoryJob.ts'

let folder = ''
let program: Uint8Array = new Uint8Array()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-program-'))
  program = await bundleProgram(fileURLToPath(new URL('./testing/program.ts', import.meta.url)))
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs the program in two processes, and waits for their ends. */
async function run(kind: Assignment['kind']) {
  const job = new MemoryJob({ kind, cluster: { worker: 2 } })
  const ends = [0, 1].map(async (index) => {
    const port = job.task(index)
    const { assignment, services } = port
    const own = join(folder, `${kind}-${index}`)
    const limits = { memoryBytes: 2 ** 30, timeMs: 60_000 }
    await using task = await launchTask({ assignment, program, folder: own, services, limits })
    port.onIncoming((from, socket) => task.incoming(from, socket))
    return await task.ended
  })
  return { job, ends: await Promise.all(ends) }
}

describe('a program in processes of its own', () => {
  it('trains one model, over streams that others have opened for it', async () => {
    const { job, ends } = await run('train')
    expect(ends).toEqual([{ kind: 'done' }, { kind: 'done' }])
    const { w, b } = job.value('result') as { readonly w: number; readonly b: number }
    expect([w, b]).toEqual([expect.closeTo(3, 2), expect.closeTo(-2, 2)])
    const { hash } = job.value('models/model') as { readonly hash: string }
    await using model = await predictor(loadModel(job.blobs.get(hash)!))
    const { line } = await model.predict({ x: [[2]] })
    expect(line!.number()).toBeCloseTo(4, 1)
  })

  it('searches in all of them', async () => {
    const { job, ends } = await run('search')
    expect(ends).toEqual([{ kind: 'done' }, { kind: 'done' }])
    const ended = job.told.flatMap((told) => (told.kind === 'trialEnded' ? [told] : []))
    expect(ended.map(({ trial }) => trial).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
    const least = Math.min(...ended.map(({ value }) => value!))
    expect(job.value('result')).toMatchObject({ best: { value: least } })
  })
})
