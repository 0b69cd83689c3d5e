// TensorScatter without races: every place takes its updates in one order that does not depend on the GPU, so that answers are the same at every run.
import { dtypes } from '@shoal/core'
import type { BufferUse, Stage } from '../../stage.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { elementStage } from '../elements.ts'
import type { KernelDef, Places } from '../kernelDef.ts'
import { loadUnit, moveStage, unitOf, unitType, unitUse } from '../move/units.ts'
import { inOrder } from './inOrder.ts'
import { changed, placeOf, type Scatter, scatterOf, tuplesUse, updatesUse } from './scatter.ts'

/** With few updates every element looks through all of them, in one stage: so many tuples, and comparisons, at most. */
const fewTuples = 256
const fewComparisons = 2 ** 22

/** x with slices that index tuples name set to updates, or combined with them. */
export const tensorScatter: KernelDef = {
  op: 'TensorScatter',
  compile(signature, target, places) {
    const scatter = scatterOf(signature, places.firstOutput)
    const { count, length } = scatter
    const copy = copyStage(scatter)
    if (count === 0) return { stages: [copy], workspaceBytes: 0 }
    if (count <= fewTuples && count * length <= fewComparisons)
      return { stages: [lookThrough(scatter, places)], workspaceBytes: 0 }
    const { stages, words } = inOrder(scatter, target, places.workspace)
    return { stages: [copy, ...stages], workspaceBytes: 4 * words }
  },
}

function copyStage({ x, length, to }: Scatter): Stage {
  // Whole words: what lies behind the last element is nobody's.
  const words = Math.ceil((length * dtypes[x.dtype].bytes) / 4)
  const unit = unitOf('uint32', [words])
  const stage = moveStage(unit, [unitUse(unit, 0, words, 'read')], to, words, (shader, index) =>
    loadUnit(shader, unit, 0, index),
  )
  // A variable is changed in place.
  return { ...stage, unlessSame: [0, to] }
}

/** Every element of the answer goes through all tuples. */
function lookThrough(scatter: Scatter, places: Places): Stage {
  const { x, update, length, count, width, to } = scatter
  /** Calls `body` for each update of place `index` of x with its place among the updates; slices have `size` places. */
  const eachUpdate = (shader: Shader, index: string, size: number, body: (at: string) => void): void => {
    const [slice, within] = [shader.let(`${index} / ${size}`), shader.let(`${index} % ${size}`)]
    shader.loop('0', `${count}`, '1', (tuple) => {
      const { place, inside } = placeOf(shader, scatter, 1, tuple)
      shader.block(`if (${inside} && ${place} == ${slice})`, () =>
        body(shader.let(`${tuple} * ${size} + ${within}`)),
      )
    })
  }
  if (update === 'set') {
    const unit = unitOf(x.dtype, [width])
    const reads = [
      unitUse(unit, 0, length, 'read'),
      tuplesUse(scatter),
      unitUse(unit, 2, count * width, 'read'),
    ]
    return moveStage(unit, reads, to, length, (shader, index) => {
      const value = shader.variable(unitType(unit), loadUnit(shader, unit, 0, index))
      eachUpdate(shader, index, width / unit.elements, (at) =>
        shader.line(`${value} = ${loadUnit(shader, unit, 2, at)};`),
      )
      return value
    })
  }
  const old: BufferUse = { arg: 0, dtype: x.dtype, length, access: 'read' }
  return elementStage({
    type: x,
    places,
    reads: [old, tuplesUse(scatter), updatesUse(scatter)],
    value(shader, index) {
      const value = shader.variable(scalarType(x.dtype), shader.memory(0).load(index))
      eachUpdate(shader, index, width, (at) => {
        const came = shader.let(shader.memory(2).load(at))
        shader.line(`${value} = ${changed(shader, update, x.dtype, value, came)};`)
      })
      return value
    },
  })
}
