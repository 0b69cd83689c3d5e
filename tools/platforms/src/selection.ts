// Which tests of the pinned Node run again on other engines: those whose answer the engine has a part in.
import { files, text } from '../../workspace.ts'

/**
 * What the cpu device asks of its engine: generated code, memory, threads, bundles. Left out are the files that hold kernels and
 * lowered loops against the reference in very many sizes: they are arithmetic, which WebAssembly defines, and on other engines
 * the suite of the device runs every kernel once, while the bits of a training run must be equal.
 */
const ofTheEngine = () =>
  files('packages/kernels-cpu/src/**/*.test.ts').filter((file) => !arithmetic.test(file) && !suite.test(file))
const arithmetic = /\/src\/(kernels|lower)\/|\/gemm\/matmul\.test|\/epilogue\.test/

/** The suite of the device in its three forms, of which an engine runs one. */
const suite = /\/src\/device\w*\.test/
const withThreads = 'packages/kernels-cpu/src/deviceThreads.test.ts'
const withoutThreads = 'packages/kernels-cpu/src/device.test.ts'

/** The way to a library of the system leads through Node; what the library computes does not change with Node. */
const calls = ['library', 'blas'].map((name) => `packages/kernels-blas/src/${name}.test.ts`)

/** The files that run on other versions of Node; what the device asks of its engine is asked of the oldest alone. */
export const testsOnOtherNodes = (isOldest = true): readonly string[] => [
  withThreads,
  ...(isOldest ? ofTheEngine() : []),
  ...calls,
]

/** The files that run in a page for WebGPU: it has a GPU of its own, which Node does not. */
export const testsOfWebGpu = ['packages/kernels-webgpu/src/device.test.ts']

/** The files that run in a page for the cpu device; tests that use a module of Node are about Node. */
export const testsInPages = (isolated: boolean): readonly string[] => [
  isolated ? withThreads : withoutThreads,
  ...ofTheEngine().filter((file) => !/\bfrom 'node:/.test(text(file))),
  'tools/platforms/src/page.test.ts',
]
