// Pooling and its gradients. Gradients are gathered: every element sums what the windows around it give, so that no two lanes add to one place.
import type { ConcreteType, PoolAttrs, Signature } from '@shoal/core'
import { boundInputs, sizeOf } from '@shoal/core'
import type { BufferUse, KernelCode } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { elementStage, perLane } from '../elements.ts'
import type { KernelDef, Places } from '../kernelDef.ts'
import { keyOf } from '../order/key.ts'
import {
  eachMember,
  eachWindow,
  membersOf,
  type Pooling,
  poolingOf,
  type Position,
  positionOf,
  sizes,
} from './geometry.ts'
import { floatLiteral } from '../../wgsl/literal.ts'

/** Finding the winner of a window anew for every element that asks is worth so many loads; beyond that winners are kept. */
const mostLoads = 16

/** The poolings and their gradients. */
export const pools: readonly KernelDef[] = [
  pool('MaxPool', ({ pooling, shader, dtypes }, index) => {
    const winner = winnerOf(shader, pooling, dtypes[0]!, positionOf(shader, pooling, 'output', index))
    return `select(${shader.memory(0).load(`max(${winner}, 0)`)}, ${floatLiteral(shader, -Infinity)}, ${winner} < 0)`
  }),
  pool('MaxPoolGradGrad', ({ pooling, shader, dtypes }, index) => {
    const winner = winnerOf(shader, pooling, dtypes[0]!, positionOf(shader, pooling, 'output', index))
    return `select(${shader.memory(1).load(`max(${winner}, 0)`)}, 0.0, ${winner} < 0)`
  }),
  pool('AvgPool', ({ pooling, shader }, index) => {
    const position = positionOf(shader, pooling, 'output', index)
    const sum = shader.variable('f32', '0.0')
    eachMember(shader, pooling, position, (i) => shader.line(`${sum} += ${shader.memory(0).load(i)};`))
    return `${sum} / max(${membersOf(shader, pooling, position)}, 1.0)`
  }),
  pool('AvgPoolGrad', ({ pooling, shader }, index) => {
    const sum = shader.variable('f32', '0.0')
    eachWindow(shader, pooling, positionOf(shader, pooling, 'input', index), (window, o) =>
      shader.line(`${sum} += ${shader.memory(0).load(o)} / ${membersOf(shader, pooling, window)};`),
    )
    return sum
  }),
  { op: 'MaxPoolGrad', epilogue: true, compile: maxPoolGrad },
]

interface Pass {
  readonly pooling: Pooling
  readonly shader: Shader
  readonly dtypes: readonly ConcreteType['dtype'][]
}

/** A pooling of one stage: what one element of the output is. */
function pool(op: string, value: (pass: Pass, index: string) => string): KernelDef {
  return {
    op,
    epilogue: true,
    compile(signature, _, places) {
      const pooling = poolingOfSignature(signature)
      const reads = readsOf(signature)
      const dtypes = reads.map(({ dtype }) => dtype)
      const type = signature.outputs[0]!
      const stage = elementStage({
        type,
        places,
        reads,
        value: (shader, index) => value({ pooling, shader, dtypes }, index),
      })
      return { stages: [stage], workspaceBytes: 0 }
    },
  }
}

const poolingOfSignature = ({ inputs, attrs }: Signature): Pooling =>
  poolingOf(inputs[0]!.shape, attrs as unknown as PoolAttrs)

const readsOf = (signature: Signature): BufferUse[] =>
  boundInputs(signature).map(({ dtype, shape }, arg) => ({
    arg,
    dtype,
    length: sizeOf(shape),
    access: 'read',
  }))

function maxPoolGrad(signature: Signature, _: unknown, places: Places): KernelCode {
  const pooling = poolingOfSignature(signature)
  const [x, dy] = readsOf(signature) as [BufferUse, BufferUse]
  const type = signature.outputs[0]!
  /** What an element gets of the windows whose winner it is. */
  const gathered =
    (winner: (shader: Shader, window: Position, o: string) => string) =>
    (shader: Shader, index: string): string => {
      const sum = shader.variable('f32', '0.0')
      eachWindow(shader, pooling, positionOf(shader, pooling, 'input', index), (window, o) => {
        const its = winner(shader, window, o)
        shader.block(`if (${its} == ${index})`, () => shader.line(`${sum} += ${shader.memory(1).load(o)};`))
      })
      return sum
    }
  if (loadsOf(pooling) <= mostLoads) {
    const value = gathered((shader, window) => winnerOf(shader, pooling, type.dtype, window))
    return { stages: [elementStage({ type, places, reads: [x, dy], value })], workspaceBytes: 0 }
  }
  const { output } = sizes(pooling)
  const winners = { arg: places.workspace, dtype: 'int32', length: output } as const
  const find = perLane(output, [x, { ...winners, access: 'write' }], (shader, o) =>
    shader
      .memory(1)
      .store(o, winnerOf(shader, pooling, type.dtype, positionOf(shader, pooling, 'output', o))),
  )
  const give = elementStage({
    type,
    places,
    reads: [{ ...winners, access: 'read' }, dy],
    value: gathered((shader, _window, o) => shader.let(shader.memory(0).load(o))),
  })
  return { stages: [find, give], workspaceBytes: 4 * output }
}

/** Loads for one element, if it finds the winners of all its windows. */
function loadsOf({ window: { kernel, strides } }: Pooling): number {
  return kernel.reduce((loads, taps, axis) => loads * taps * Math.ceil(taps / strides[axis]!), 1)
}

/** The flat index of a window's first greatest member in memory 0; a NaN is greater than any number; -1 where there is no member. */
function winnerOf(shader: Shader, pooling: Pooling, dtype: ConcreteType['dtype'], window: Position): string {
  const winner = shader.variable('i32', '-1')
  // Below the key of any number.
  const greatest = shader.variable('u32', '0u')
  eachMember(shader, pooling, window, (i) => {
    const key = shader.let(keyOf(shader, dtype, shader.memory(0).load(i)))
    shader.block(`if (${key} > ${greatest})`, () => {
      shader.line(`${greatest} = ${key};`)
      shader.line(`${winner} = ${i};`)
    })
  })
  return winner
}
