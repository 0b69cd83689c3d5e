import { deviceSuite } from '@shoal/conformance/suites'
import { webgpu } from './webgpu.ts'
import { wgslDtypes } from './wgsl/representation.ts'

deviceSuite('webgpu', () => webgpu(), {
  dtypes: wgslDtypes,
  missing: 'AvgPoolGrad AvgPool Bitcast Cholesky Concat CtcLoss Cumulative Eigh Float16MatMul Gather GatherNd LogDeterminant MatMul MaxPoolGrad MaxPoolGradGrad MaxPool Qr QuantizedMatMul Solve Svd TensorScatter TopK TriangularSolve'.split(' '),
})
