import type { DType } from '@shoal/core'
import { square } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { OpCase } from './case.ts'
import { opCase } from './case.ts'
import { checkDefinition } from './caseChecks.ts'
import { random } from './inputs.ts'

/** A case that expects squares, times `factor` in float64. */
const squares = (factor: number, dtypes: readonly DType[]): OpCase =>
  opCase({
    op: 'Square',
    name: 'times a factor',
    inputs: { x: random([3]) },
    build: ({ x }) => square(x),
    expect: ({ x }, dtype) => x.numbers().map((v) => v * v * (dtype === 'float64' ? factor : 1)),
    dtypes,
  })

describe('checkDefinition', () => {
  it('takes a case that expects what is right', async () => {
    await expect(checkDefinition(squares(1, ['float32', 'float64']))).resolves.toBeUndefined()
  })

  it('refuses a case that expects something else', async () => {
    await expect(checkDefinition(squares(2, ['float64']))).rejects.toThrow('Square: times a factor float64')
  })

  it('refuses a case that is wrong in another dtype than its first', async () => {
    await expect(checkDefinition(squares(2, ['float32', 'float64']))).rejects.toThrow('factor float64')
  })

  it('refuses a case without a dtype', async () => {
    await expect(checkDefinition(squares(1, []))).rejects.toThrow('its list of dtypes is empty')
  })
})
