import { describe, expect, it } from 'vitest'
import { asking } from './asked.ts'

describe('what is asked for', () => {
  const names = ['matmul-64', 'matmul-512', 'sum']
  it('is everything, or what begins as one of the words', () => {
    expect(names.filter(asking([], names))).toEqual(names)
    expect(names.filter(asking(['matmul-5', 'su'], names))).toEqual(['matmul-512', 'sum'])
  })
  it('is refused when nothing begins so', () => {
    expect(() => asking(['sum', 'matmull'], names)).toThrow('nothing is called matmull')
  })
})
