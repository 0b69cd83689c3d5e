// The public names of @shoal/conformance.
export * from './case.ts'
export * from './inputs.ts'
export * from './random.ts'
export { allCases, caseNames } from './cases/index.ts'
