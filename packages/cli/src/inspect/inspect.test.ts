// What is shown of graphs that come from models, GraphDefs and modules.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { add, constant, matmul, placeholder, relu, Session, toGraphDef, variable } from '@shoal/core'
import { saveModel } from '@shoal/train'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testShell } from '../testing/shells.ts'

let folder = ''
const shoal = (...args: readonly string[]) => testShell({ cwd: folder }).run(...args)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-inspect-'))
  const x = placeholder({ shape: ['batch', 2], name: 'x' })
  const weights = variable([[1], [2]], { name: 'weights' })
  const y = relu(add(matmul(x, weights), add(constant(1), constant(2))))
  await using session = new Session()
  await session.initialize(y)
  writeFileSync(join(folder, 'model.safetensors'), await saveModel({ session, outputs: { y } }))
  writeFileSync(join(folder, 'graph.json'), JSON.stringify(toGraphDef({ y })))
  const core = JSON.stringify(import.meta.resolve('@shoal/core'))
  writeFileSync(
    join(folder, 'model.mjs'),
    `import { constant, add } from ${core}\nexport const sum = add(constant(1), constant(2))\nexport const other = 3`,
  )
  writeFileSync(join(folder, 'empty.mjs'), 'export const other = 3')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('shoal inspect', () => {
  it('shows the graph of a model and of a GraphDef', async () => {
    for (const file of ['model.safetensors', 'graph.json']) {
      const { code, out } = await shoal('inspect', file)
      expect(code).toBe(0)
      expect(out).toMatch(
        /nodes; 1 variables with 2 elements, 8 B as float32; inputs: x: float32\[batch, 2\]/,
      )
      expect(out).toMatch(/MatMul\(%x, %weights/)
    }
  })

  it('tells what passes made of it, and where it runs', async () => {
    const { out } = await shoal('inspect', 'graph.json', '--passes', '--placement')
    expect(out).toMatch(/^given: \d+ nodes/m)
    expect(out).toContain('/device:cpu:0  MatMul')
  })

  it('compiles it for sizes that are said', async () => {
    const { code, out } = await shoal('inspect', 'model.safetensors', '--programs', '--sizes', 'batch=4')
    expect(code).toBe(0)
    expect(out).toMatch(/device:cpu:0: \d+ kernels?, .*FLOP a run/)
    const { code: wrong, err } = await shoal('inspect', 'model.safetensors', '--programs')
    expect(wrong).toBe(2)
    expect(err).toContain('say it: --sizes batch=32')
  })

  it('answers in JSON', async () => {
    const sections = JSON.parse((await shoal('inspect', 'graph.json', '--passes', '--json')).out) as object
    expect(Object.keys(sections)).toEqual(['graph', 'passes'])
  })

  it('does not find, or finds nothing in, other files', async () => {
    expect((await shoal('inspect', 'none.safetensors')).code).toBe(5)
    expect((await shoal('inspect', 'none.mjs')).code).toBe(5)
    const { code, err } = await shoal('inspect', 'empty.mjs')
    expect(code).toBe(2)
    expect(err).toContain('exports no tensors')
  })
})
