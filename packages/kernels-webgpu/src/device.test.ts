import { deviceSuite } from '@shoal/conformance/suites'
import { webgpu } from './webgpu.ts'
import { wgslDtypes } from './wgsl/representation.ts'

deviceSuite('webgpu', () => webgpu(), {
  dtypes: wgslDtypes,
  missing: 'Cholesky Conv ConvBackpropFilter ConvBackpropInput CtcLoss Cumulative Eigh Float16MatMul LogDeterminant MatMul Qr QuantizedConv QuantizedMatMul Solve Svd TensorScatter TriangularSolve'.split(' '),
})
