// The page's side of a comparison: the contenders that live in a browser, asked by number, since only plain data crosses.
import type { Contender, Side } from '../contender.ts'
import type { Tf } from '../contenders/tfjsTypes.ts'
import type { OnnxProto } from '../contenders/onnxModels.ts'
import type { Work } from '../work.ts'
import type { Ort } from './onnxruntime.ts'
import { onnxruntimeGpu } from './onnxruntime.ts'
import { gpuShoal } from './shoal.ts'
import { tfjsGpu } from './tfjs.ts'

/** The libraries that the page's bundle brings. */
export interface Libraries {
  readonly tf: Tf
  readonly ort: Ort
  readonly proto: OnnxProto
}

/** A contender as it is known outside of the page. */
export interface Guest {
  readonly name: string
  /** Why it takes no part. */
  readonly fault?: string
}

/** What is asked of the page. */
export interface PageBench {
  /** Starts the contenders. @param versions what is told of each, by name */
  start(versions: { readonly [name: string]: string }): Promise<readonly Guest[]>
  /** The number of the side that was made ready; undefined where there is no such operation. */
  prepare(name: string, work: Work): Promise<number | undefined>
  sample(side: number, repeats: number): Promise<number>
  /** Computes the result, and answers how many numbers it has; `part` hands them out. */
  result(side: number): Promise<number>
  /** Bytes of float32 numbers as base64. */
  part(from: number, to: number): string
  close(side: number): Promise<void>
}

/** Browsers can do so. */
type Encodable = Uint8Array & { toBase64(): string }

/** Makes the page ready to be asked. */
export function pageBench(libraries: Libraries): PageBench {
  const contenders = new Map<string, Contender>()
  const sides: Side[] = []
  let answer = new Float32Array()
  return {
    async start(versions) {
      const starts: { readonly [name: string]: (version: string) => Promise<Contender> | Contender } = {
        'shoal, Chromium': (version) => gpuShoal({ name: 'shoal, Chromium', version, clock: 'host' }),
        'tfjs-webgpu': (version) => tfjsGpu(libraries.tf, version),
        'onnxruntime-webgpu': (version) => onnxruntimeGpu(libraries.ort, libraries.proto, version),
      }
      const guests: Guest[] = []
      for (const [name, start] of Object.entries(starts))
        try {
          contenders.set(name, await start(versions[name] ?? name))
          guests.push({ name })
        } catch (error) {
          guests.push({ name, fault: String(error) })
        }
      return guests
    },
    async prepare(name, work) {
      const side = await contenders.get(name)?.prepare(work)
      return side && sides.push(side) - 1
    },
    sample: (side, repeats) => sides[side]!.sample(repeats),
    async result(side) {
      answer = Float32Array.from(await sides[side]!.result())
      return answer.length
    },
    part: (from, to) => (new Uint8Array(answer.buffer, 4 * from, 4 * (to - from)) as Encodable).toBase64(),
    close: (side) => sides[side]!.close(),
  }
}
