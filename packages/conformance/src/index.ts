// The cases and what makes them, which any program may import; the suites that run them are in @shoal/conformance/suites.
export * from './case.ts'
export { allCases, caseNames } from './cases/index.ts'
export * from './inputs.ts'
export { Random } from './random.ts'
