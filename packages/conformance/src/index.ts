// The public names of @shoal/conformance.
export * from './case.ts'
export { allCases, caseNames } from './cases/index.ts'
export { definitionSuite } from './definitionSuite.ts'
export { type Claims, deviceSuite } from './deviceSuite.ts'
export * from './inputs.ts'
export { checkPass, type PassCase, passSuite, valuesOf } from './passSuite.ts'
export { Random } from './random.ts'
