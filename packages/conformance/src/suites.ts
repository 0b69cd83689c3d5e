// The suites, which register tests: to be imported by test files, where vitest runs them.
export { caseSuite } from './caseSuite.ts'
export { definitionSuite } from './definitionSuite.ts'
export { type Claims, deviceSuite } from './deviceSuite.ts'
export { checkPass, type PassCase, passSuite, valuesOf } from './passSuite.ts'
