import { describe, expect, it } from 'vitest'
import { InternalError } from '../errors.ts'
import { E } from './expr.ts'
import type { FusedKernel, SimpleKernel } from './kernel.ts'
import { simpleKernel } from './kernel.ts'
import { verifyKernel } from './verify.ts'
import { int } from './view.ts'

const kernel = (change: Partial<SimpleKernel>): FusedKernel =>
  simpleKernel({
    name: 'k',
    inputs: [{ dtype: 'float32', length: 6 }],
    output: { dtype: 'float32', length: 6 },
    axes: [6],
    reduced: 0,
    body: E.exp(E.load(0, E.axis(0), 'float32')),
    ...change,
  })

describe('verifyKernel', () => {
  it('accepts a legal kernel', () => {
    expect(() => verifyKernel(kernel({}))).not.toThrow()
  })
  it.each<[string, Partial<SimpleKernel>]>([
    ['dtypes that differ', { body: E.add(E.load(0, E.axis(0), 'float32'), int(1)) }],
    ['a dtype that is only stored', { body: { op: 'load', dtype: 'float16', input: 0, index: E.axis(0) } }],
    ['an axis that is not there', { body: E.load(0, E.axis(1), 'float32') }],
    ['an input that is not there', { body: E.load(1, E.axis(0), 'float32') }],
    ['a read out of range', { body: E.load(0, E.add(E.axis(0), int(6)), 'float32') }],
    ['a reduction that is not finished', { body: E.acc(0, 'float32') }],
    ['loops that do not fill the output', { axes: [5] }],
    ['an output of more elements than loops', { output: { dtype: 'float32', length: 7 } }],
    [
      'an epilogue over a reduced axis',
      {
        axes: [6, 2],
        reduced: 1,
        reduce: {
          combine: 'sum',
          dtype: 'float32',
          epilogue: E.mul(E.acc(0, 'float32'), E.load(0, E.axis(1), 'float32')),
        },
      },
    ],
  ])('refuses %s', (_, change) => {
    expect(() => verifyKernel(kernel(change))).toThrow(InternalError)
  })
  it('refuses outputs with elements that are stored twice or never', () => {
    const square = kernel({ axes: [2, 3] })
    const at = (rows: number, columns: number) => ({
      ...square,
      stores: [
        { ...square.stores[0]!, index: E.add(E.mul(E.axis(0), int(rows)), E.mul(E.axis(1), int(columns))) },
      ],
    })
    expect(() => verifyKernel(at(3, 1))).not.toThrow()
    expect(() => verifyKernel(at(1, 2))).not.toThrow()
    expect(() => verifyKernel(at(5, 0))).toThrow('not stored once each')
    expect(() => verifyKernel(at(1, 1))).toThrow('not stored once each')
  })
})
