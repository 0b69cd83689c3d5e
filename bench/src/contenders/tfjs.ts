// TensorFlow.js, on its cpu or wasm backend, in this process.
import type { Contender } from '../contender.ts'
import { sideOf } from '../contender.ts'
import { peerVersion, requirePeer } from '../peers.ts'
import { tfRuns } from './tfjsRuns.ts'
import type { Tf } from './tfjsTypes.ts'

/** TensorFlow.js. */
export function tfjs(backend: 'cpu' | 'wasm'): Contender {
  const tf = requirePeer<Tf>('@tensorflow/tfjs')
  if (backend === 'wasm')
    requirePeer<{ setThreadsCount(count: number): void }>('@tensorflow/tfjs-backend-wasm').setThreadsCount(1)
  // The library computes on one backend at a time: it is chosen before all that is asked of either.
  const onBackend = async <T>(work: () => T): Promise<Awaited<T>> => {
    await tf.setBackend(backend)
    await tf.ready()
    // Its WebAssembly leaves a Worker among the globals, from which other libraries conclude that they are in a browser.
    Reflect.deleteProperty(globalThis, 'Worker')
    return await work()
  }
  return {
    name: `tfjs-${backend}`,
    version: peerVersion(`@tensorflow/tfjs-backend-${backend}`),
    prepare: (work) =>
      onBackend(async () => {
        const runs = await tfRuns(tf, work, (x) => x.dataSync())
        const side = runs && sideOf(runs)
        return (
          side && {
            sample: (repeats: number) => onBackend(() => side.sample(repeats)),
            result: () => onBackend(() => side.result()),
            close: () => onBackend(() => side.close()),
          }
        )
      }),
  }
}
