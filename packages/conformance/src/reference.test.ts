import { fixedSize, reference } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { caseName } from './case.ts'
import { allCases } from './cases/index.ts'
import { definitionSuite } from './definitionSuite.ts'
import { deviceSuite } from './deviceSuite.ts'

deviceSuite('reference', () => reference(), { dtypes: fixedSize })
definitionSuite(allCases)

describe('cases', () => {
  it('have names of their own', () => {
    const names = allCases.map(caseName)
    expect(new Set(names).size).toBe(names.length)
  })
})
