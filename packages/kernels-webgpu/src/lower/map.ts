// Kernels without reductions: a lane for every element, or for the few elements that share a word.
import type { FusedKernel, Size } from '@shoal/core'
import { affine, sizeOf } from '@shoal/core'
import type { Stage } from '../stage.ts'
import { perWord } from '../wgsl/memory.ts'
import { loadsFrom, ScalarWriter } from '../wgsl/scalar.ts'
import type { Shader } from '../wgsl/shader.ts'
import { usesOf } from './lower.ts'

/** Lanes of a workgroup: what every GPU runs well. */
const lanes = 64

/** The one stage of a kernel without reductions. */
export function mapKernelStage(kernel: FusedKernel): Stage {
  const together = elementsTogether(kernel)
  const words = new Set(
    together === 1 ? [] : kernel.stores.flatMap(({ dtype }, i) => (perWord(dtype) > 1 ? [i] : [])),
  )
  const rows =
    together === 1 ? kernel.axes : [...kernel.axes.slice(0, -1), Math.ceil(kernel.axes.at(-1)! / together)]
  const count = sizeOf(rows)
  return {
    buffers: usesOf(kernel, words),
    groups: Math.ceil(count / lanes),
    lanes,
    write: (shader) => {
      const element = shader.let(`group * ${lanes} + lane`)
      if (count % lanes !== 0) shader.line(`if (${element} >= ${count}) { return; }`)
      const axes = counters(shader, element, rows)
      if (together === 1) storeOne(shader, kernel, axes)
      else storeWords(shader, kernel, axes, together)
    },
  }
}

/** The loop counters of a position among all of them. */
export function counters(shader: Shader, position: string, axes: Size): string[] {
  let rest = position
  const found = axes.map(() => '0')
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    if (axes[axis] === 1) continue
    const outermost = axes.slice(0, axis).every((d) => d === 1)
    found[axis] = outermost ? rest : shader.let(`${rest} % ${axes[axis]}`)
    if (!outermost) rest = shader.let(`${rest} / ${axes[axis]}`)
  }
  return found
}

function storeOne(shader: Shader, { inputs, stores }: FusedKernel, axes: readonly string[]): void {
  const memories = [...inputs, ...stores].map((_, i) => shader.memory(i))
  const writer = new ScalarWriter(shader, { axes, load: loadsFrom(memories) })
  // All values are there before the first is stored: an output may be the memory of an input.
  const values = stores.map(({ index, value }) => [writer.write(index), writer.write(value)] as const)
  values.forEach(([index, value], i) => memories[inputs.length + i]!.store(index, value))
}

/** How many neighbours a lane computes, so that it stores whole words; 1 where elements have words of their own, or no neighbours that belong together. */
function elementsTogether({ axes, stores }: FusedKernel): number {
  const most = Math.max(...stores.map(({ dtype }) => perWord(dtype)))
  const last = axes.length - 1
  if (most === 1 || last < 0) return 1
  const whole = last === 0 || axes[last]! % most === 0
  const side = stores.every(({ index }) => {
    const { constant, terms } = affine(index)
    return (
      constant % most === 0 &&
      [...terms].every(([atom, coefficient]) =>
        atom.op === 'axis' && atom.axis === last ? coefficient === 1 : coefficient % most === 0,
      ) &&
      [...terms.keys()].some((atom) => atom.op === 'axis' && atom.axis === last)
    )
  })
  return whole && side ? most : 1
}

/** Computes `together` neighbours along the last axis, and stores those that share words as words. */
function storeWords(
  shader: Shader,
  { axes: sizes, inputs, stores }: FusedKernel,
  axes: readonly string[],
  together: number,
): void {
  const memories = [...inputs, ...stores].map((_, i) => shader.memory(i))
  const last = axes.length - 1
  const extent = sizes[last]!
  const first = shader.let(`${axes[last]} * ${together}`)
  const neighbours = Array.from({ length: together }, (_, k) => {
    const at = k === 0 ? first : shader.let(`${first} + ${k}`)
    return { at, writer: new ScalarWriter(shader, { axes: axes.with(last, at), load: loadsFrom(memories) }) }
  })
  const values = stores.map(({ value }) => neighbours.map(({ writer }) => writer.write(value)))
  const indices = stores.map(({ index }) => neighbours.map(({ writer }) => writer.write(index)))
  stores.forEach(({ dtype }, i) => {
    const memory = memories[inputs.length + i]!
    const per = perWord(dtype)
    for (let k = 0; k < together; k += Math.max(1, per)) {
      const store = (): void => {
        if (per === 1) memory.store(indices[i]![k]!, values[i]![k]!)
        else memory.storeWord(`${indices[i]![k]!} / ${per}`, memory.packed(values[i]!.slice(k, k + per)))
      }
      // What lies beyond the last element of a word is nobody's, but there may be whole words beyond it.
      if (k === 0 || extent % together === 0) store()
      else shader.block(`if (${neighbours[k]!.at} < ${extent})`, store)
    }
  })
}
