import { describe, expect, it } from 'vitest'
import type { DType } from '../index.ts'
import { constant, mul, ndarray, placeholder, Session } from '../index.ts'
import { defineOp } from '../op.ts'

describe('ops of the host', () => {
  it('get inputs that lend only their shape in their own dtype', () => {
    const seen: [DType, readonly number[]][] = []
    const sizes = defineOp({
      name: 'Sizes',
      doc: 'The shape of its input, and what the host was given for it.',
      inputs: ['x'],
      traits: { shapeOnly: () => true },
      infer: ([x]) => [{ dtype: 'int32', shape: [x.shape.length] }],
      body: {
        kind: 'runtime',
        role: 'host',
        run: ([x]) => {
          seen.push([x!.dtype, x!.shape])
          return [ndarray(Int32Array.from(x!.shape))]
        },
      },
    })
    const x = placeholder({ shape: [2, 3], dtype: 'float64', name: 'x' })
    const answer = new Session().runSync(sizes(mul(x, constant(2, 'float64'))), { x: new Float64Array(6) })
    expect(answer.toArray()).toEqual([2, 3])
    expect(seen).toEqual([['float64', [2, 3]]])
  })
})
