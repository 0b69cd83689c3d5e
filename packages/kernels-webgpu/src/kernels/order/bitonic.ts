// Bitonic sorting of pairs (key, index), least first, where equal keys are told apart by their indices: the comparisons in workgroup memory and those across blocks.
// K. E. Batcher, Sorting Networks and Their Applications, 1968.
import type { Shader, WgslFunction } from '../../wgsl/shader.ts'
import type { Block, Pair } from './pairs.ts'

const after: WgslFunction = {
  name: 'comes_after',
  code: `
fn comes_after(a_key: u32, a_index: u32, b_key: u32, b_index: u32) -> bool {
  return a_key > b_key || (a_key == b_key && a_index > b_index);
}`,
}

/** Sorts a block that is full, from runs of `sorted` pairs to runs of `whole`. Runs go up and down in turn, by `position`, the place in the row of place `i` of the block. */
export function sortBlock(
  shader: Shader,
  block: Block,
  [sorted, whole]: readonly [number, number],
  position: (i: string) => string,
): void {
  const { keys, indices, size, lanes } = block
  const run = shader.variable('i32', `${2 * sorted}`)
  shader.block(`for (; ${run} <= ${whole}; ${run} *= 2)`, () => {
    const step = shader.variable('i32', `min(${run}, ${size}) / 2`)
    shader.block(`for (; ${step} > 0; ${step} /= 2)`, () => {
      shader.loop('lane', `${size / 2}`, `${lanes}`, (i) => {
        const low = shader.let(`${i} & (${step} - 1)`)
        const a = shader.let(`((${i} - ${low}) << 1u) | ${low}`)
        const b = shader.let(`${a} + ${step}`)
        const [aKey, bKey] = [shader.let(`${keys}[${a}]`), shader.let(`${keys}[${b}]`)]
        const [aIndex, bIndex] = [shader.let(`${indices}[${a}]`), shader.let(`${indices}[${b}]`)]
        const upwards = `((${position(a)}) & ${run}) == 0`
        const wrong = `${shader.include(after)}(${aKey}, ${aIndex}, ${bKey}, ${bIndex})`
        shader.block(`if (${wrong} == (${upwards}))`, () => {
          shader.line(`${keys}[${a}] = ${bKey}; ${keys}[${b}] = ${aKey};`)
          shader.line(`${indices}[${a}] = ${bIndex}; ${indices}[${b}] = ${aIndex};`)
        })
      })
      shader.barrier()
    })
  })
}

/** Sorts `2^levels` pairs that lie in variables, whose places in the row differ by a power of two: the steps of a merge across blocks. */
export function mergeAcross(shader: Shader, pairs: readonly Pair[], levels: number, upwards: string): void {
  for (let step = 2 ** (levels - 1); step >= 1; step /= 2)
    pairs.forEach((a, i) => {
      if (i & step) return
      const b = pairs[i + step]!
      const wrong = `${shader.include(after)}(${a.key}, ${a.index}, ${b.key}, ${b.index})`
      shader.block(`if (${wrong} == ${upwards})`, () => {
        const [key, index] = [shader.let(a.key), shader.let(a.index)]
        shader.line(`${a.key} = ${b.key}; ${b.key} = ${key};`)
        shader.line(`${a.index} = ${b.index}; ${b.index} = ${index};`)
      })
    })
}
