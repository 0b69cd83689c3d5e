// Kernels whose elements are each computed by themselves: a lane for every element, or for the few that share a word.
import type { ConcreteType, DType } from '@shoal/core'
import { sizeOf } from '@shoal/core'
import type { BufferUse, Stage } from '../stage.ts'
import { perWord } from '../wgsl/memory.ts'
import { scalarType } from '../wgsl/representation.ts'
import type { Shader } from '../wgsl/shader.ts'
import type { Places } from './kernelDef.ts'

/** Lanes of a workgroup: what every GPU runs well. */
export const lanes = 64

/** What every element of an output is. */
export interface Elements {
  readonly type: ConcreteType
  readonly places: Places
  /** What is read. */
  readonly reads: readonly BufferUse[]
  /** Element `index` of the output, in the type that its dtype is computed in; `reads` are the first memories of the shader. */
  readonly value: (shader: Shader, index: string) => string
}

/** One stage that stores every element of the first output. */
export function elementStage({ type, places, reads, value }: Elements): Stage {
  const length = sizeOf(type.shape)
  const { uses } = places.output
  const per = perWord(type.dtype)
  if (per > 1 && isPlain(places))
    return perLane(Math.ceil(length / per), [...reads, { ...uses[0]!, words: true }], (shader, word) => {
      const values = Array.from({ length: per }, (_, k) => {
        const index = shader.let(`${word} * ${per} + ${k}`)
        // What lies behind the last element is nobody's, but is not to be read from anywhere.
        return shader.let(
          value(shader, length % per === 0 ? index : shader.let(`min(${index}, ${length - 1})`)),
        )
      })
      const memory = shader.memory(reads.length)
      memory.storeWord(word, memory.packed(values))
    })
  return perLane(length, [...reads, ...uses], (shader, index) =>
    places.output.store(shader, reads.length, index, shader.let(value(shader, index))),
  )
}

/** A stage that runs `body` for every number below `count`, each in a lane of its own. */
export const perLane = (
  count: number,
  buffers: readonly BufferUse[],
  body: (shader: Shader, number: string) => void,
): Stage => ({
  buffers,
  groups: Math.ceil(count / lanes),
  lanes,
  write: (shader) => {
    const number = shader.let(`group * ${lanes} + lane`)
    if (count % lanes !== 0) shader.line(`if (${number} >= ${count}) { return; }`)
    body(shader, number)
  },
})

/** Is the first output stored as it is, without an epilogue? */
function isPlain({ output: { uses }, firstOutput }: Places): boolean {
  const [use] = uses
  return uses.length === 1 && use!.access === 'write' && use!.arg === firstOutput
}

/** The dtype of scratch memory for values that a dtype is computed in: a word each. */
export const wordDtype = (dtype: DType): 'float32' | 'int32' | 'uint32' =>
  (({ f32: 'float32', i32: 'int32', u32: 'uint32', bool: 'uint32' }) as const)[scalarType(dtype)]
