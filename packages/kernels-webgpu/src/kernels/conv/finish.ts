// What becomes of the elements that a stage makes: they go to the output, or wait in scratch memory for another stage to add them up.
import { type DType, sizeOf } from '@shoal/core'
import type { ConcreteType } from '@shoal/core'
import type { BufferUse, KernelCode, Stage, Target } from '../../stage.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'
import type { Places } from '../kernelDef.ts'
import { powerOfTwo } from './schedule.ts'

/** A stage that makes all elements of an answer, or so many shares of each. */
export interface Pass {
  /** What it reads. */
  readonly buffers: readonly BufferUse[]
  readonly groups: number
  readonly lanes: number
  /** Shares of an element, which are to be added. */
  readonly splits: number
  /** How it works, in a few words. */
  readonly schedule: string
  /** @param store to be called once for every share of every element. */
  write(shader: Shader, store: (split: string, index: string, value: string) => void): void
}

/** A stage that stores zeros: sums of nothing. */
export function zeroPass({ dtype, shape }: ConcreteType): Pass {
  const [count, lanes] = [sizeOf(shape), 64]
  return {
    buffers: [],
    groups: Math.ceil(count / lanes),
    lanes,
    splits: 1,
    schedule: 'zeros',
    write: (shader, store) => {
      const index = shader.let(`group * ${lanes} + lane`)
      shader.block(`if (${index} < ${count})`, () =>
        store('0', index, scalarType(dtype) === 'i32' ? '0' : '0.0'),
      )
    },
  }
}

/** A kernel of one pass, or of two where there are shares to add, or more buffers than a stage may have. */
export function finished(pass: Pass, output: ConcreteType, target: Target, places: Places): KernelCode {
  const { buffers, groups, lanes, splits } = pass
  const count = sizeOf(output.shape)
  const first = buffers.length
  if (splits === 1 && first + places.output.uses.length <= target.maxBuffers) {
    const stage: Stage = {
      buffers: [...buffers, ...places.output.uses],
      groups,
      lanes,
      write: (shader) =>
        pass.write(shader, (_, index, value) => places.output.store(shader, first, shader.let(index), value)),
    }
    return { stages: [stage], workspaceBytes: 0, schedule: pass.schedule }
  }
  const scratch: BufferUse = {
    arg: places.workspace,
    dtype: sumDtype(output.dtype),
    length: splits * count,
    access: 'write',
  }
  const stage: Stage = {
    buffers: [...buffers, scratch],
    groups,
    lanes,
    write: (shader) =>
      pass.write(shader, (split, index, value) => {
        const part = splits === 1 ? index : `${split} * ${count} + ${index}`
        shader.memory(first).store(shader.let(part), value)
      }),
  }
  return {
    stages: [stage, addition({ ...scratch, access: 'read' }, splits, count, places)],
    workspaceBytes: 4 * splits * count,
    schedule: `${pass.schedule}, ${splits} ${splits === 1 ? 'share' : 'shares'} of each sum`,
  }
}

/** Sums wait as they were computed, not as they will be stored. */
const sumDtype = (dtype: DType): DType => (scalarType(dtype) === 'i32' ? 'int32' : 'float32')

/** The stage that adds up shares. Where there are many, several lanes do it for each element. */
function addition(scratch: BufferUse, splits: number, count: number, { output }: Places): Stage {
  const lanes = 64
  const helpers = splits < 16 ? 1 : Math.min(8, powerOfTwo(splits / 8))
  const own = lanes / helpers
  const type = scalarType(scratch.dtype)
  return {
    buffers: [scratch, ...output.uses],
    groups: Math.ceil(count / own),
    lanes,
    write: (shader) => {
      const [element, helper] =
        helpers === 1 ? ['lane', '0'] : [shader.let(`lane % ${own}`), shader.let(`lane / ${own}`)]
      const index = shader.let(`group * ${own} + ${element}`)
      const sum = shader.variable(type)
      shader.block(`if (${index} < ${count})`, () =>
        shader.loop(helper, `${splits}`, `${helpers}`, (split) =>
          shader.line(`${sum} += ${shader.memory(0).load(`${split} * ${count} + ${index}`)};`),
        ),
      )
      const value = sumOfLanes(shader, type, sum, helpers, own)
      const conditions = [...(helpers === 1 ? [] : [`${helper} == 0`]), `${index} < ${count}`]
      shader.block(`if (${conditions.join(' && ')})`, () => output.store(shader, 1, index, value))
    },
  }
}

/** The sum of what `helpers` lanes have, `apart` lanes from each other: the first of them knows it. All lanes must come here. */
export function sumOfLanes(
  shader: Shader,
  type: string,
  value: string,
  helpers: number,
  apart: number,
): string {
  if (helpers === 1) return value
  const shared = shader.shared(`array<${type}, ${helpers * apart}>`)
  shader.line(`${shared}[lane] = ${value};`)
  for (let half = helpers / 2; half >= 1; half /= 2) {
    shader.barrier()
    shader.block(`if (lane < ${half * apart})`, () =>
      shader.line(`${shared}[lane] += ${shared}[lane + ${half * apart}];`),
    )
  }
  return shader.let(`${shared}[lane]`)
}
