// ONNX Runtime, native in Node or as WebAssembly, on one thread: a session per task, fed with tensors that are made once.
import type { Contender } from '../contender.ts'
import { sideOf } from '../contender.ts'
import { peerVersion, requirePeer } from '../peers.ts'
import type { OnnxProto } from './onnxModels.ts'
import { onnxModel } from './onnxModels.ts'

interface OrtTensor {
  readonly dims: readonly number[]
  readonly data: Float32Array
}
interface OrtSession {
  run(feeds: { readonly [name: string]: OrtTensor }): Promise<{ readonly [name: string]: OrtTensor }>
  readonly outputNames: readonly string[]
  release(): Promise<void>
}
interface Ort {
  readonly env: { readonly wasm?: { numThreads?: number } }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> }
}

/** ONNX Runtime. */
export function onnxruntime(build: 'node' | 'web'): Contender {
  const ort = requirePeer<Ort>(`onnxruntime-${build}`)
  if (build === 'web' && ort.env.wasm) ort.env.wasm.numThreads = 1
  return {
    name: `onnxruntime-${build}`,
    version: peerVersion(`onnxruntime-${build}`),
    async prepare(work) {
      const model = onnxModel(work, requirePeer<OnnxProto>('onnx-proto'))
      if (!model) return undefined
      const session = await ort.InferenceSession.create(model.bytes, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionProviders: [build === 'web' ? 'wasm' : 'cpu'],
      })
      const feeds = Object.fromEntries(
        Object.entries(model.feeds).map(([name, { data, shape }]) => [
          name,
          new ort.Tensor('float32', data, shape),
        ]),
      )
      return sideOf({
        run: () => session.run(feeds),
        async result() {
          const { dims, data } = (await session.run(feeds))[session.outputNames[0]!]!
          return model.restore({ shape: dims, data }).data
        },
        close: () => session.release(),
      })
    },
  }
}
