import { describe, expect, it } from 'vitest'
import * as errors from './errors.ts'

const { ShoalError, speakingOf } = errors
const classes = Object.entries(errors).filter(([name]) => name.endsWith('Error') && name !== 'ShoalError')
const node = { op: { name: 'MatMul' }, name: 'dense/matmul' }

describe.each(classes as [string, typeof errors.ShapeError][])('%s', (name, Class) => {
  it('is an error of Shoal under its own name', () => {
    const error = new Class('sizes differ')
    expect(error).toBeInstanceOf(ShoalError)
    expect([error.name, error.message, error.node]).toEqual([name, 'sizes differ', undefined])
  })

  it('stays what it is when it is told which node it speaks of', () => {
    const error = new Class('sizes differ')
    const spoken = speakingOf(node, error) as errors.ShapeError
    expect(spoken).toBeInstanceOf(Class)
    expect([spoken.name, spoken.message]).toEqual([name, "MatMul 'dense/matmul': sizes differ"])
    expect([spoken.node, spoken.cause]).toEqual([node, error])
    expect(speakingOf({ ...node, name: 'another' }, spoken)).toBe(spoken)
  })
})
