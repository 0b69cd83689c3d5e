// As little as possible with ONNX Runtime.
import onnxProto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const { onnx } = onnxProto
const type = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }, { dimValue: 2 }] } } }
const model = onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: '', version: 17 }],
  graph: {
    name: 'first',
    node: [{ opType: 'MatMul', input: ['x', 'x'], output: ['y'] }],
    input: [{ name: 'x', type }],
    output: [{ name: 'y', type }],
  },
}).finish()
const session = await InferenceSession.create(model, { intraOpNumThreads: 1 })
const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]) })
console.log(y.data)
