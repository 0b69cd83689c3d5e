// Asking models of files and of jobs, and taking them home.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { matmul, ndarray, placeholder, Session, variable } from '@shoal/core'
import { readNpy, writeNpy } from '@shoal/data'
import { jobMethods, type Json } from '@shoal/edge-agent/client'
import { saveModel } from '@shoal/train'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { event, job, submitted } from '../testing/events.ts'
import { ScriptedBlobs } from '../testing/scriptedBlobs.ts'
import { ScriptedJob } from '../testing/scriptedJob.ts'
import { testShell } from '../testing/shells.ts'
import { answering, TestAgent } from '../testing/testAgent.ts'

let folder = ''
let agent: TestAgent
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-predict-'))
  const x = placeholder({ shape: ['batch', 2], name: 'x' })
  const y = matmul(x, variable([[1], [10]], { name: 'weights' }))
  await using session = new Session()
  await session.initialize(y)
  const model = await saveModel({ session, outputs: { y } })
  writeFileSync(join(folder, 'model.safetensors'), model)
  writeFileSync(
    join(folder, 'x.npy'),
    writeNpy(
      ndarray([
        [1, 2],
        [3, 4],
      ]),
    ),
  )
  const blobs = new ScriptedBlobs()
  const documents: Record<string, Json> = {
    'models/model': { hash: blobs.put(model), bytes: model.byteLength },
  }
  agent = await TestAgent.start(
    ...blobs.methods,
    ...new ScriptedJob(
      submitted('digits'),
      event(1, { kind: 'state', state: 'succeeded', attempt: 0, reason: '' }),
    ).methods,
    answering(jobMethods.readDocument, ({ key }) => ({
      version: key in documents ? 1 : 0,
      value: (documents[key] ?? null) as never,
    })),
  )
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})
const predict = (...args: readonly string[]) =>
  testShell({ cwd: folder }).run('predict', ...args, '--folder', agent.folder)

describe('shoal save', () => {
  const save = (...args: readonly string[]) =>
    testShell({ cwd: folder }).run('save', ...args, '--folder', agent.folder)

  it('writes the model of a job into a file, as it was saved', async () => {
    const { code, out } = await save('digits', 'saved.safetensors')
    expect([code, out]).toEqual([0, expect.stringContaining('saved.safetensors has the model: ')])
    expect(readFileSync(join(folder, 'saved.safetensors'))).toEqual(
      readFileSync(join(folder, 'model.safetensors')),
    )
  })

  it('says what is missing', async () => {
    expect((await save('digits', '--model', 'other')).err).toContain("has no model at 'models/other'")
    expect((await save('nothing')).code).toBe(5)
  })
})

describe('shoal predict', () => {
  it('asks the model of a file', async () => {
    expect(await predict('model.safetensors', '--input', 'x.npy')).toEqual({
      code: 0,
      out: 'y float32[2, 1]  [21, 43]\n',
      err: '',
    })
    const { out } = await predict('model.safetensors', '--input', 'x=x.npy', '--json')
    expect(JSON.parse(out)).toEqual({ y: { dtype: 'float32', shape: [2, 1], values: [[21], [43]] } })
  })

  it('asks the model of a job, and writes what it says', async () => {
    const { code, out, err } = await predict('digits', '--input', 'x.npy', '--output', 'answers')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(join(folder, 'answers', 'y.npy'))
    const written = await readNpy(readFileSync(join(folder, 'answers', 'y.npy')))
    expect(written.toArray()).toEqual([[21], [43]])
  })

  it('does not find every model and every input', async () => {
    expect((await predict('none.safetensors', '--input', 'x.npy')).code).toBe(5)
    expect((await predict(job, '--model', 'other', '--input', 'x.npy')).err).toContain(
      "has no model at 'models/other'",
    )
    expect((await predict('model.safetensors', '--input', 'none.npy')).code).toBe(5)
    expect((await predict('model.safetensors', '--input', 'z=x.npy')).err).toContain("there is no input 'z'")
  })
})
