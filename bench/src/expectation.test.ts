import { describe, expect, it } from 'vitest'
import { cpu } from '@shoal/kernels-cpu'
import { shoal } from './contenders/shoal.ts'
import { expectation, faultOf } from './expectation.ts'
import type { Task, Work } from './work.ts'
import { families } from './families.ts'
import { works } from './work.ts'

const small: readonly Task[] = [
  { kind: 'matmul', dtype: 'float32', n: 20, transposeA: true, transposeB: false },
  { kind: 'matmul', dtype: 'float32', n: 20, transposeA: false, transposeB: true },
  { kind: 'gatedSum', length: 1000 },
  { kind: 'softmax', rows: 4, columns: 10 },
  { kind: 'layerNorm', rows: 4, columns: 10 },
  { kind: 'softmax', rows: 120, columns: 10 },
  { kind: 'sum', rows: 4, columns: 120, axis: 0 },
  { kind: 'sum', rows: 120, columns: 4, axis: 1 },
  { kind: 'matmul', dtype: 'float16', n: 20, transposeA: false, transposeB: false },
  ...(['forward', 'toInput', 'toFilter'] as const).map(
    (pass) => ({ kind: 'conv', pass, batch: 2, size: 6, channels: 3, window: 3, filters: 4 }) as const,
  ),
  { kind: 'depthwise', batch: 2, size: 6, channels: 4, window: 3 },
  { kind: 'train', model: 'logistic', batch: 4 },
  { kind: 'infer', model: 'logistic', batch: 1 },
  { kind: 'adds', length: 5 },
]
const ours = shoal({ name: 'shoal', version: '', device: () => cpu() })

describe('what is expected', () => {
  for (const task of small) {
    it(`of ${JSON.stringify(task)} is what the cpu device computes, and nothing else`, async () => {
      const work = { ...task, name: '', title: '', flops: 0, bytes: 0 } as Work
      const side = (await ours.prepare(work))!
      const result = await side.result()
      await side.close()
      const expected = await expectation(work)
      expect(expected.values.length).toBeGreaterThan(0)
      expect(faultOf(expected, result)).toBeUndefined()
      expect(
        faultOf(
          expected,
          result.map((value) => value + 1),
        ),
      ).toMatch(/is expected/)
      expect(faultOf(expected, new Float32Array())).toMatch(/0 values/)
    })
  }
})

describe('works', () => {
  it('have names of their own', () => {
    expect(new Set(works.map(({ name }) => name)).size).toBe(works.length)
  })
  it('stand in one family each', () => {
    expect(works.filter((work) => families.filter(({ holds }) => holds(work)).length !== 1)).toEqual([])
  })
})
