import { deviceSuite } from '@shoal/conformance/suites'
import { webgpu } from './webgpu.ts'
import { wgslDtypes } from './wgsl/representation.ts'

/** Linear algebra is left to other devices: its kernels are long chains of small steps, which processors run faster. */
const missing = ['Cholesky', 'Eigh', 'LogDeterminant', 'Qr', 'Solve', 'Svd', 'TriangularSolve']

deviceSuite('webgpu', () => webgpu(), { dtypes: wgslDtypes, missing, randomKernels: 100, share: 'odds' })
