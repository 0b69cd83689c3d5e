// Scatters with many updates: the tuples are sorted by the places that they name, so that the updates of a place are a run.
import type { BufferUse, Stage, Target } from '../../stage.ts'
import { perLane } from '../elements.ts'
import { loadUnit, unitOf, unitUse } from '../move/units.ts'
import { sortStages } from '../order/sort.ts'
import { combineRuns } from './runs.ts'
import { nowhere, placeOf, type Scatter, tuplesUse } from './scatter.ts'

/** The stages that apply the updates to the answer, which holds x already, and the words of scratch memory. */
export function inOrder(
  scatter: Scatter,
  target: Target,
  workspace: number,
): { readonly stages: readonly Stage[]; readonly words: number } {
  const { count, update } = scatter
  // Scratch memory begins with the places in order, and which tuples name them.
  const order = { arg: workspace, dtype: 'uint32', length: 2 * count } as const
  const reads: BufferUse = { ...order, access: 'read' }
  const runs =
    update === 'set'
      ? { stages: [setStage(scatter, reads)], words: 0 }
      : combineRuns({ ...scatter, update }, reads)
  // Sorting is done before its memory is used for anything else.
  const sort = sortStages(
    {
      rows: 1,
      size: count,
      take: count,
      reads: [tuplesUse(scatter)],
      key(shader, _row, tuple) {
        const { place, inside } = placeOf(shader, scatter, 0, tuple)
        return `select(${nowhere}, u32(${place}), ${inside})`
      },
      writes: [{ ...order, access: 'write' }],
      finish(shader, first, _row, rank, { key, index }) {
        shader.memory(first).store(rank, key)
        shader.memory(first).store(`${count} + ${rank}`, index)
      },
      scratch: { arg: workspace, from: 2 * count },
    },
    target,
  )
  return {
    stages: [...sort.stages, ...runs.stages],
    words: 2 * count + Math.max(sort.words, runs.words),
  }
}

/** The last update of every place is the one that counts. */
function setStage({ x, length, count, width, to }: Scatter, order: BufferUse): Stage {
  const unit = unitOf(x.dtype, [width])
  const size = width / unit.elements
  const buffers = [order, unitUse(unit, 2, count * width, 'read'), unitUse(unit, to, length, 'write')]
  return perLane(count * size, buffers, (shader, number) => {
    const [ordered, answer] = [shader.memory(0), shader.memory(2)]
    const [rank, within] = [shader.let(`${number} / ${size}`), shader.let(`${number} % ${size}`)]
    const place = shader.let(ordered.load(rank))
    const next = shader.let(ordered.load(`min(${rank} + 1, ${count - 1})`))
    const overwritten = `(${rank} < ${count - 1} && ${next} == ${place})`
    shader.line(`if (${place} == ${nowhere} || ${overwritten}) { return; }`)
    const tuple = shader.let(`i32(${ordered.load(`${count} + ${rank}`)})`)
    const value = shader.let(loadUnit(shader, unit, 1, shader.let(`${tuple} * ${size} + ${within}`)))
    const at = shader.let(`i32(${place}) * ${size} + ${within}`)
    if (unit.vector === 4) answer.store4(at, value)
    else answer.store(at, value)
  })
}
