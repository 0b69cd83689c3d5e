import type { AttrValues, Signature } from '@shoal/core'
import { boundInputs, sizeOf } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { ModuleBuilder } from '../wasm/index.ts'
import { type } from './agreement.ts'
import { kernelDefs } from './index.ts'

interface Run {
  /** Elements that each unit of the last stage says it completes; undefined where it does not say. */
  readonly finishes: number | undefined
  readonly units: number
  readonly answer: Float32Array
  /** Runs units [begin, end) of the last stage. */
  run(begin: number, end: number): void
}

/** A kernel over memory of its own: random inputs, an answer of NaN, every stage but the last done. */
function prepare(op: string, signature: Signature): Run {
  const def = kernelDefs.find((each) => each.op === op && each.supports(signature))!
  const { workspaceBytes, write } = def.compile(signature, { relaxed: true })
  const module = new ModuleBuilder()
  const stages = write(module)
  stages.forEach(({ func }, i) => module.export(func, `${i}`))
  const sizes = [...boundInputs(signature), ...signature.outputs].map(({ shape }) => sizeOf(shape) * 4)
  let end = 64
  const addresses = [...sizes, ...(workspaceBytes > 0 ? [workspaceBytes] : [])].map((bytes) => {
    const start = end
    end = Math.ceil((start + bytes + 64) / 64) * 64
    return start
  })
  const pages = Math.ceil(end / 65536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: pages })
  const { exports } = new WebAssembly.Instance(module.compile(), { env: { memory } })
  new Float32Array(memory.buffer).forEach((_, i, all) => (all[i] = Math.sin(i * 1.7)))
  const at = addresses[sizes.length - 1]!
  const answer = new Float32Array(memory.buffer, at, sizes.at(-1)! / 4).fill(Number.NaN)
  const call = (stage: number, from: number, to: number) =>
    (exports[`${stage}`] as (...numbers: number[]) => void)(...addresses, from, to)
  stages.slice(0, -1).forEach(({ units }, i) => call(i, 0, units))
  const last = stages.at(-1)!
  return {
    finishes: last.finishes,
    units: last.units,
    answer,
    run: (from, to) => call(stages.length - 1, from, to),
  }
}

/** Every unit of the last stage, alone and in any order, makes the elements that it says it completes, and touches no others. */
function expectFinishing(op: string, signature: Signature): void {
  const what = `${op} ${JSON.stringify(signature)}`
  const whole = prepare(op, signature)
  whole.run(0, whole.units)
  const { finishes, units, answer, run } = prepare(op, signature)
  expect(finishes, what).toBeDefined()
  const size = finishes!
  expect(Math.ceil(answer.length / size), what).toBe(units)
  const expected = answer.slice()
  const order = Array.from({ length: units }, (_, i) => units - 1 - i)
  for (const unit of order) {
    run(unit, unit + 1)
    const end = Math.min((unit + 1) * size, answer.length)
    expected.set(whole.answer.subarray(unit * size, end), unit * size)
    // NaN stands where nothing was written yet.
    expect(answer, `${what}, unit ${unit}`).toEqual(expected)
  }
}

describe('the last stage', () => {
  const same: AttrValues = { padding: 'SAME', groups: 1 }
  const convolutions: { x: number[]; filter: number[]; y: number[]; attrs: AttrValues }[] = [
    { x: [2, 7, 6, 3], filter: [3, 3, 3, 10], y: [2, 7, 6, 10], attrs: same },
    { x: [2, 7, 6, 5], filter: [3, 2, 5, 6], y: [2, 4, 3, 6], attrs: { ...same, strides: [2, 2] } },
    { x: [2, 7, 6, 9], filter: [3, 3, 1, 9], y: [2, 7, 6, 9], attrs: { ...same, groups: 9 } },
    { x: [2, 5, 6, 1], filter: [3, 3, 1, 8], y: [2, 5, 6, 8], attrs: same },
    { x: [2, 5, 6, 8], filter: [3, 3, 8, 1], y: [2, 5, 6, 1], attrs: same },
    { x: [2, 5, 6, 40], filter: [1, 1, 40, 24], y: [2, 5, 6, 24], attrs: same },
  ]
  for (const { x, filter, y, attrs } of convolutions) {
    const signature = (inputs: number[][], output: number[], shapeOnly: number[] = []): Signature => ({
      inputs: inputs.map((shape) => type(shape)),
      outputs: [type(output)],
      attrs,
      shapeOnly: new Set(shapeOnly),
    })
    it(`completes lines of a convolution of [${x}] with [${filter}] and of its gradient by the input`, () => {
      expectFinishing('Conv', signature([x, filter], y))
      expectFinishing('ConvBackpropInput', signature([x, filter, y], x, [0]))
    })
    it(`completes strips of its gradient by the filter [${filter}]`, () => {
      expectFinishing('ConvBackpropFilter', signature([x, filter, y], filter, [1]))
    })
  }

  it('does not say so of the filters of groups, whose strips lie between each other', () => {
    const [x, filter, y] = [type([1, 7, 6, 8]), type([3, 3, 2, 12]), type([1, 7, 6, 12])]
    const attrs = { ...same, groups: 4 }
    expectFinishing('Conv', { inputs: [x, filter], outputs: [y], attrs })
    const shapeOnly = new Set([1])
    const gradient = { inputs: [x, filter, y], outputs: [filter], attrs, shapeOnly }
    expect(prepare('ConvBackpropFilter', gradient).finishes).toBeUndefined()
  })

  it('completes lines of poolings and their gradients', () => {
    const [x, y] = [type([2, 9, 7, 6]), type([2, 5, 4, 6])]
    const attrs = { size: [3, 2], strides: [2, 2], padding: 'SAME' }
    expectFinishing('MaxPool', { inputs: [x], outputs: [y], attrs })
    expectFinishing('AvgPool', { inputs: [x], outputs: [y], attrs })
    expectFinishing('MaxPoolGrad', { inputs: [x, y], outputs: [x], attrs })
    expectFinishing('AvgPoolGrad', { inputs: [x, y], outputs: [x], attrs, shapeOnly: new Set([0]) })
  })
})
