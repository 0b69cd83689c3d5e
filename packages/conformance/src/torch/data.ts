// The arrays that PyTorch computed: a description in JSON and one binary, both gzipped, read the same way in Node and in browsers.
import type { NDArray, Nested, Size } from '@shoal/core'
import { DTypeError, fromBytes, isDType, ndarray } from '@shoal/core'

interface ArrayPlace {
  readonly dtype: string
  readonly shape: Size
  readonly at: readonly [offset: number, bytes: number]
}
type Places = Readonly<Record<string, ArrayPlace>>
interface StoredCase {
  readonly name: string
  readonly op: string
  readonly attrs?: Readonly<Record<string, unknown>> | null
  readonly inputs: Places
  readonly outputs: Places
  readonly cotangents?: Places
  readonly grads?: Places
}

type Arrays = Readonly<Record<string, NDArray>>
/** One use of an operation, with everything that PyTorch says about it. */
export interface TorchCase {
  readonly name: string
  readonly op: string
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: Arrays
  readonly outputs: Arrays
  /** What flows into each output; none for operations without a gradient. */
  readonly cotangents: Arrays
  /** What then flows back to each input. */
  readonly grads: Arrays
}

/** Reads the cases out of the two gzipped files. */
export async function readTorchCases(json: Uint8Array, binary: Uint8Array): Promise<TorchCase[]> {
  const [text, numbers] = await Promise.all([gunzip(json), gunzip(binary)])
  const { cases } = JSON.parse(new TextDecoder().decode(text)) as { cases: readonly StoredCase[] }
  const arrays = (places: Places | undefined): Arrays =>
    Object.fromEntries(Object.entries(places ?? {}).map(([name, place]) => [name, arrayAt(numbers, place)]))
  return cases.map(({ name, op, attrs, inputs, outputs, cotangents, grads }) => ({
    name,
    op,
    attrs: attrs ?? {},
    inputs: arrays(inputs),
    outputs: arrays(outputs),
    cotangents: arrays(cotangents),
    grads: arrays(grads),
  }))
}

function arrayAt(numbers: Uint8Array, { dtype, shape, at: [offset, bytes] }: ArrayPlace): NDArray {
  if (!isDType(dtype) || dtype === 'string')
    throw new DTypeError(`${dtype} is not a dtype of the file format`)
  return fromBytes(dtype, shape, numbers.slice(offset, offset + bytes))
}

/** The contents of a gzipped file. Many servers say that a `.gz` is an encoding of what is in it, and browsers then hand out the contents. */
async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Where the files are: each spelled out, as bundlers and development servers follow this form and no other. */
const places = [
  new URL('../../data/torch/op_cases.json.gz', import.meta.url),
  new URL('../../data/torch/op_cases.bin.gz', import.meta.url),
  new URL('../../data/torch/recurrent_weights.json', import.meta.url),
]

/** The cases of this package: read from the disk in Node, fetched in browsers. */
export async function loadTorchCases(): Promise<TorchCase[]> {
  const [json, binary, weights] = await Promise.all(places.map(load))
  return withRecurrentWeights(await readTorchCases(json!, binary!), weights!)
}

/** The recurrent cases name other weights than they were computed with: see the README of the data. */
function withRecurrentWeights(cases: readonly TorchCase[], json: Uint8Array): TorchCase[] {
  const weights = JSON.parse(new TextDecoder().decode(json)) as Readonly<
    Record<string, Readonly<Record<string, Nested<number>>>>
  >
  return cases.map((one) => {
    const used = Object.entries(weights[one.name] ?? {}).map(([name, values]) => [
      name,
      ndarray(values, 'float32'),
    ])
    return { ...one, inputs: { ...one.inputs, ...Object.fromEntries(used) } }
  })
}

async function load(url: URL): Promise<Uint8Array> {
  // In a browser there is no file system, and the page's server has the file.
  if (url.protocol === 'file:') return new Uint8Array(await (await import('node:fs/promises')).readFile(url))
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.href}: ${response.status} ${response.statusText}`)
  return new Uint8Array(await response.arrayBuffer())
}
