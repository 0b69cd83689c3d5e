// ONNX Runtime on its webgpu execution provider, in a page: operands and answers stay on the GPU, as far as a work does not read them.
import type { Contender } from '../contender.ts'
import type { OnnxProto } from '../contenders/onnxModels.ts'
import { onnxModel } from '../contenders/onnxModels.ts'
import type { Host } from '../values.ts'
import { gpuSideOf } from './side.ts'

interface OrtTensor {
  readonly dims: readonly number[]
  getData(): Promise<Float32Array>
  dispose(): void
}
interface OrtSession {
  run(feeds: { readonly [name: string]: OrtTensor }): Promise<{ readonly [name: string]: OrtTensor }>
  readonly outputNames: readonly string[]
  release(): Promise<void>
}
/** What is used of ONNX Runtime in a page. */
export interface Ort {
  readonly env: {
    readonly wasm: { numThreads?: number; wasmPaths?: string }
    readonly webgpu: { readonly device: Promise<GPUDevice> | GPUDevice }
  }
  readonly Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): OrtTensor
    fromGpuBuffer(
      buffer: GPUBuffer,
      options: { readonly dataType: 'float32'; readonly dims: readonly number[]; dispose(): void },
    ): OrtTensor
  }
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> }
}

const storage = 0x80
const copySource = 0x04
const copyTarget = 0x08

/** Starts it. @throws Error when it finds no adapter that it can use */
export async function onnxruntimeGpu(ort: Ort, proto: OnnxProto, version: string): Promise<Contender> {
  ort.env.wasm.numThreads = 1
  ort.env.wasm.wasmPaths = '/'
  const open = (bytes: Uint8Array, preferredOutputLocation: 'gpu-buffer' | 'cpu') =>
    ort.InferenceSession.create(bytes, { executionProviders: ['webgpu'], preferredOutputLocation })
  // It has a device once there is a session, and the same one as long as there is any.
  const first = await open(onnxModel(smallest, proto)!.bytes, 'cpu')
  const gpu = await ort.env.webgpu.device
  const resident = ({ data, shape }: Host): OrtTensor => {
    const usage = storage | copySource | copyTarget
    const buffer = gpu.createBuffer({ size: data.byteLength, usage })
    gpu.queue.writeBuffer(buffer, 0, Float32Array.from(data))
    return ort.Tensor.fromGpuBuffer(buffer, {
      dataType: 'float32',
      dims: shape,
      dispose: () => buffer.destroy(),
    })
  }
  return {
    name: 'onnxruntime-webgpu',
    version,
    async prepare(work) {
      const model = onnxModel(work, proto)
      if (!model) return undefined
      const travels = work.kind === 'infer' || work.kind === 'adds'
      const session = await open(model.bytes, travels ? 'cpu' : 'gpu-buffer')
      const feeds = Object.fromEntries(
        Object.entries(model.feeds).map(([name, host]) => [
          name,
          travels ? new ort.Tensor('float32', host.data, host.shape) : resident(host),
        ]),
      )
      const run = async (): Promise<OrtTensor> => (await session.run(feeds))[session.outputNames[0]!]!
      return gpuSideOf(
        {
          run: async () => (await run()).dispose(),
          async result() {
            const answer = await run()
            const data = await answer.getData()
            const { data: restored } = model.restore({ shape: answer.dims, data })
            answer.dispose()
            return restored
          },
          async close() {
            for (const tensor of Object.values(feeds)) tensor.dispose()
            await session.release()
          },
        },
        () => gpu.queue.onSubmittedWorkDone(),
      )
    },
    close: () => first.release(),
  }
}

const smallest = { kind: 'adds', length: 1 } as const
