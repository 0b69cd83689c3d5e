// TopK: rows sorted by keys whose order is that of the numbers, or the reverse.
import type { ConcreteType } from '@shoal/core'
import { sizeOf } from '@shoal/core'
import type { KernelDef } from '../kernelDef.ts'
import { keyOf } from './key.ts'
import { type Sorting, sortStages } from './sort.ts'

/** The k greatest or least elements of every row, in order, and where they were. */
export const topK: KernelDef = {
  op: 'TopK',
  compile({ inputs, outputs, attrs }, target, { firstOutput, workspace }) {
    const [x] = inputs as readonly [ConcreteType]
    const [values, indices] = outputs as readonly [ConcreteType, ConcreteType]
    const size = x.shape.at(-1)!
    const take = Number(attrs['k'])
    const input = { arg: 0, dtype: x.dtype, length: sizeOf(x.shape), access: 'read' } as const
    const sorting: Sorting = {
      rows: sizeOf(x.shape.slice(0, -1)),
      size,
      take,
      reads: [input],
      key(shader, row, position) {
        const key = keyOf(shader, x.dtype, shader.memory(0).load(`${row} * ${size} + ${position}`))
        return attrs['largest'] ? `~${key}` : key
      },
      writes: [
        input,
        { arg: firstOutput, dtype: values.dtype, length: sizeOf(values.shape), access: 'write' },
        { arg: firstOutput + 1, dtype: indices.dtype, length: sizeOf(indices.shape), access: 'write' },
      ],
      finish(shader, first, row, rank, { index }) {
        const place = shader.let(`${row} * ${take} + ${rank}`)
        const position = shader.let(`i32(${index})`)
        const value = shader.let(shader.memory(first).load(`${row} * ${size} + ${position}`))
        shader.memory(first + 1).store(place, value)
        shader.memory(first + 2).store(place, position)
      },
      scratch: { arg: workspace, from: 0 },
    }
    const { stages, words } = sortStages(sorting, target)
    return { stages, workspaceBytes: 4 * words }
  },
}
