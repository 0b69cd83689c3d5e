// Nothing in this package outlasts a test: files may share a worker.
export { default } from '../../vitest.pure.ts'
