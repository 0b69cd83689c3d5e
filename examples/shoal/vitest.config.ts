// Tested as every package is.
export { default } from '../../vitest.shared.ts'
