// TensorFlow.js on its webgpu backend, in a page.
import type { Contender } from '../contender.ts'
import { tfRuns } from '../contenders/tfjsRuns.ts'
import type { Tf } from '../contenders/tfjsTypes.ts'
import { gpuSideOf } from './side.ts'

interface WebGpuBackend {
  readonly device: GPUDevice
  /** To be called before a submission: it takes whatever encoder there is, with its pass ended. */
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
}

/** Starts it. @throws Error when it finds no adapter that it can use */
export async function tfjsGpu(tf: Tf, version: string): Promise<Contender> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('the webgpu backend does not start')
  await tf.ready()
  const backend = tf.backend() as WebGpuBackend
  return {
    name: 'tfjs-webgpu',
    version,
    async prepare(work) {
      const runs = await tfRuns(tf, work, (x) => x.data())
      return (
        runs &&
        gpuSideOf(runs, () => {
          backend.ensureCommandEncoderReady()
          backend.endComputePassEncoder()
          backend.submitQueue()
          return backend.device.queue.onSubmittedWorkDone()
        })
      )
    },
  }
}
