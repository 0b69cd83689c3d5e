// Elements that are only moved: their bits go as whole words, or vectors of words, wherever runs of them are as long as that.
import type { DType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import type { BufferUse, Stage } from '../../stage.ts'
import { perWord } from '../../wgsl/memory.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { perLane } from '../elements.ts'

/** What is moved at once. */
export interface Unit {
  /** An integer dtype of as many bits as are moved, or of 32 for vectors of words. */
  readonly dtype: 'uint8' | 'int16' | 'uint32'
  readonly vector: 1 | 4
  /** Elements in it. */
  readonly elements: number
}

/** The largest unit of which all of these numbers of elements are multiples. */
export function unitOf(dtype: DType, runs: readonly number[]): Unit {
  const { bytes } = dtypes[dtype]
  const whole = (size: number): boolean => runs.every((run) => (run * bytes) % size === 0)
  if (whole(16)) return { dtype: 'uint32', vector: 4, elements: 16 / bytes }
  if (whole(4)) return { dtype: 'uint32', vector: 1, elements: 4 / bytes }
  return bytes === 2 ? { dtype: 'int16', vector: 1, elements: 1 } : { dtype: 'uint8', vector: 1, elements: 1 }
}

/** How a buffer of so many elements of the dtype behind a unit is used. */
export function unitUse(unit: Unit, arg: number, elements: number, access: BufferUse['access']): BufferUse {
  const { dtype, vector } = unit
  // Several small elements are one of the unit's dtype, or four words are one vector.
  return { arg, dtype, length: Math.ceil(elements / unit.elements) * vector, access, vector }
}

/** The type of WGSL that a unit is. */
export const unitType = ({ dtype, vector }: Unit): string =>
  vector === 4 ? 'vec4u' : dtype === 'int16' ? 'i32' : 'u32'

/** Unit `index` of a memory: u32 or i32, or a vector of u32. */
export const loadUnit = (shader: Shader, { vector }: Unit, use: number, index: string): string =>
  vector === 4 ? shader.memory(use).load4(index) : shader.memory(use).load(index)

/** Nothing but zeros. */
export const zeroUnit = (unit: Unit): string => `${unitType(unit)}()`

/** One stage that moves something to every place of a buffer of `elements`, which is argument `to`. */
export function moveStage(
  unit: Unit,
  reads: readonly BufferUse[],
  to: number,
  elements: number,
  value: (shader: Shader, index: string) => string,
): Stage {
  const per = perWord(unit.dtype)
  const out = unitUse(unit, to, elements, 'write')
  const count = Math.ceil(elements / unit.elements)
  if (per === 1)
    return perLane(count, [...reads, out], (shader, index) => {
      const memory = shader.memory(reads.length)
      const moved = shader.let(value(shader, index))
      if (unit.vector === 4) memory.store4(index, moved)
      else memory.store(index, moved)
    })
  return perLane(Math.ceil(count / per), [...reads, { ...out, words: true }], (shader, word) => {
    const values = Array.from({ length: per }, (_, k) => {
      const index = shader.let(`min(${word} * ${per} + ${k}, ${count - 1})`)
      return shader.let(value(shader, index))
    })
    const memory = shader.memory(reads.length)
    memory.storeWord(word, memory.packed(values))
  })
}
