// Every float16 number through the loads and stores of this device: as float16 of WGSL where there is that, and as halves of words.
import { getElement, toDType } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import type { BufferUse } from '../stage.ts'
import { mapMode, usage } from '../usage.ts'
import { webgpu } from '../webgpu.ts'
import { bindingFor, type Memory } from './memory.ts'
import { Shader } from './shader.ts'

const device = await webgpu()
afterAll(() => device[Symbol.asyncDispose]())

const lanes = 64
const count = 65536

/** The numbers of these bits. */
const numbersOf = (bits: Uint16Array): Float64Array =>
  Float64Array.from(bits, (_bits, i) => Number(getElement('float16', bits, i)))

/** What a kernel with a lane for every `each` elements makes of an input. */
async function answerOf(
  uses: readonly [BufferUse, BufferUse],
  features: ReadonlySet<string>,
  each: 1 | 4,
  body: (from: Memory, to: Memory, lane: string) => void,
  input: Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
): Promise<Float64Array> {
  const shader = new Shader(
    uses,
    uses.map((use) => bindingFor([use], features)),
    [0, 1],
  )
  body(shader.memory(0), shader.memory(1), shader.let(`group * ${lanes} + lane`))
  const groups = count / each / lanes
  const { gpu } = device
  const code = shader.text({ groups, lanes })
  const pipeline = await gpu.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: gpu.createShaderModule({ code }) },
  })
  const from = gpu.createBuffer({ size: input.byteLength, usage: usage.storage | usage.copyTarget })
  gpu.queue.writeBuffer(from, 0, input)
  const to = gpu.createBuffer({ size: 2 * count, usage: usage.storage | usage.copySource })
  const readable = gpu.createBuffer({ size: 2 * count, usage: usage.mapRead | usage.copyTarget })
  const encoder = gpu.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const entries = [from, to].map((buffer, binding) => ({ binding, resource: { buffer } }))
  pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(groups)
  pass.end()
  encoder.copyBufferToBuffer(to, 0, readable, 0, 2 * count)
  gpu.queue.submit([encoder.finish()])
  await readable.mapAsync(mapMode.read)
  const answer = numbersOf(new Uint16Array(readable.getMappedRange().slice(0)))
  ;[from, to, readable].forEach((buffer) => buffer.destroy())
  return answer
}

const use = (arg: number, access: BufferUse['access'], vector: 1 | 4): BufferUse => ({
  arg,
  dtype: 'float16',
  length: count,
  access,
  vector,
})

/** How many answers are other numbers than expected; NaN is as good as NaN, but -0 is not 0. */
const wrong = (answer: Float64Array, expected: Float64Array): number =>
  answer.reduce((n, x, i) => n + Number(!Object.is(x, expected[i])), 0)

describe.each([
  ['as WGSL has it, where it has', device.features],
  ['in words', new Set<string>()],
])('float16 %s', (_, features) => {
  const all = new Uint16Array(count).map((_bits, i) => i)
  const numbers = numbersOf(all)

  it('is the same after loading and storing, one by one', async () => {
    const uses = [use(0, 'read', 1), use(1, 'write', 1)] as const
    const answer = await answerOf(uses, features, 1, (a, b, lane) => b.store(lane, a.load(lane)), all)
    expect(wrong(answer, numbers)).toBe(0)
  })

  it('is the same after loading and storing, four by four', async () => {
    const uses = [use(0, 'read', 4), use(1, 'write', 4)] as const
    const answer = await answerOf(uses, features, 4, (a, b, lane) => b.store4(lane, a.load4(lane)), all)
    expect(wrong(answer, numbers)).toBe(0)
  })

  it('is the nearest to float32, with ties to even', async () => {
    // Each number, moved towards the next by nothing, less than half of the way, half, and more.
    const between = new Float32Array(count).map((_x, i) => {
      const [x, next] = [numbers[i]!, numbers[i + 1] ?? 0]
      return Number.isFinite(next - x) ? x + (next - x) * [0, 0.4999, 0.5, 0.5001][i % 4]! : x
    })
    const uses = [{ ...use(0, 'read', 1), dtype: 'float32' }, use(1, 'write', 1)] as const
    const answer = await answerOf(uses, features, 1, (a, b, lane) => b.store(lane, a.load(lane)), between)
    expect(wrong(answer, new Float64Array(between).map(toDType('float16')))).toBe(0)
  })
})
