// Models as files: what is written is read again, and nothing else is.
import {
  constant,
  conv,
  hostFunction,
  matmul,
  maxPool,
  ndarray,
  placeholder,
  relu,
  reshape,
  Session,
  softmax,
  sparseSoftmaxCrossEntropy,
  standardOps,
  statelessNormal,
  variable,
} from '@shoal/core'
import type { NDArray, Tensor } from '@shoal/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeSafetensors, encodeSafetensors } from '../checkpoint/safetensors.ts'
import { adam } from '../optimizers/adam.ts'
import { checksum } from './checksum.ts'
import { ModelError } from './errors.ts'
import { encodeModel, loadModel, saveModel } from './modelFile.ts'
import { predictor } from './predictor.ts'

const drawn = (seed: number, ...shape: number[]): Tensor =>
  statelessNormal(constant([seed, 0], 'uint32'), { shape, deviation: 0.3 })

/** A small LeNet: two convolutions with pools, one hidden layer. */
function lenet() {
  const image = placeholder({ shape: ['batch', 10, 10, 1], name: 'image' })
  const label = placeholder({ shape: ['batch'], dtype: 'int32', name: 'label' })
  const weight = (name: string, seed: number, ...shape: number[]) => variable(drawn(seed, ...shape), { name })
  const first = maxPool(relu(conv(image, weight('conv1', 1, 3, 3, 1, 2))), [2, 2])
  const second = maxPool(relu(conv(first, weight('conv2', 2, 3, 3, 2, 3))), [2, 2])
  const hidden = relu(matmul(reshape(second, { shape: [-1, 3] }), weight('dense1', 3, 3, 5)))
  const logits = matmul(hidden, weight('dense2', 4, 5, 3))
  const loss = sparseSoftmaxCrossEntropy(logits, label, { reduction: 'mean' })
  return { step: adam({ learningRate: 0.01 }).minimize(loss), probabilities: softmax(logits) }
}
const images = ndarray(
  Float32Array.from({ length: 400 }, (_, i) => Math.sin(i * i)),
  'float32',
  [4, 10, 10, 1],
)

describe('a file', () => {
  it('answers as the trained network did, and holds nothing that only training needs', async () => {
    const { step, probabilities } = lenet()
    await using session = new Session()
    await session.initialize(step)
    for (let i = 0; i < 3; i++) await session.run(step, { image: images, label: [0, 1, 2, 0] })
    const expected = await session.run(probabilities, { image: images })
    const bytes = await saveModel({ session, outputs: { probabilities }, metadata: { accuracy: '0.75' } })
    const model = loadModel(bytes)
    expect([...model.values.keys()].sort()).toEqual(['conv1', 'conv2', 'dense1', 'dense2'])
    expect(model.signature).toEqual({
      inputs: { image: { dtype: 'float32', shape: ['batch', 10, 10, 1] } },
      outputs: { probabilities: { dtype: 'float32', shape: ['batch', 3] } },
    })
    expect(model.metadata).toEqual({ accuracy: '0.75' })
    await using ready = await predictor(model)
    expect((await ready.predict({ image: images }))['probabilities']!.data).toEqual(expected.data)
    // Saved again it is the same file.
    expect(encodeModel(model)).toEqual(bytes)
  })

  it('says in its header what the model takes and gives', async () => {
    const { metadata } = decodeSafetensors(await linear())
    expect(JSON.parse(metadata['shoal.signature']!)).toEqual({
      inputs: { x: { dtype: 'float32', shape: ['n', 2] } },
      outputs: { y: { dtype: 'float32', shape: ['n', 1] } },
    })
  })

  it('takes no host function, and no metadata under names of its own', async () => {
    const x = placeholder({ shape: [], name: 'x' })
    const [y] = hostFunction([x], ([value]) => [value!], {
      types: [{ dtype: 'float32', shape: [] }],
      pure: true,
    })
    await using session = new Session()
    await expect(saveModel({ session, outputs: { y: y! } })).rejects.toThrow('HostFunction')
    await expect(saveModel({ session, outputs: { x }, metadata: { 'shoal.x': '' } })).rejects.toThrow(
      "names that begin with shoal. are the format's own",
    )
  })
})

async function linear(): Promise<Uint8Array> {
  await using session = new Session()
  const w = variable([[1], [2]], { name: 'w' })
  await session.initialize(w)
  return await saveModel({ session, outputs: { y: matmul(placeholder({ shape: ['n', 2], name: 'x' }), w) } })
}

describe('a file that is not as it should be', () => {
  let sound: Uint8Array
  beforeAll(async () => {
    sound = await linear()
  })
  /** The sound file with other parts, its checksum that of these. */
  function changed(values: Record<string, NDArray>, metadata: Record<string, string>): Uint8Array {
    const file = decodeSafetensors(sound)
    const { 'shoal.checksum': _, ...texts } = { ...file.metadata, ...metadata }
    const tensors = new Map([...file.tensors, ...Object.entries(values)])
    return encodeSafetensors(tensors, { ...texts, 'shoal.checksum': checksum(texts, tensors) })
  }
  const graph = (change: (text: string) => string): Record<string, string> => ({
    'shoal.graph': change(decodeSafetensors(sound).metadata['shoal.graph']!),
  })

  it.each([
    ['a checkpoint', () => encodeSafetensors({ w: ndarray([1]) }), 'without a model'],
    [
      'another version',
      () => changed({}, { 'shoal.model': '2' }),
      'the model is of version 2, this release reads version 1',
    ],
    ['a graph that is no JSON', () => changed({}, { 'shoal.graph': '{' }), 'the document is not JSON'],
    [
      'an unknown op',
      () =>
        changed(
          {},
          graph((text) => text.replace('"MatMul"', '"Magic"')),
        ),
      "op is 'Magic', which is not among the ops given",
    ],
    [
      'a value of another shape',
      () => changed({ w: ndarray([[1]]) }, {}),
      "variable 'w' is float32[2, 1], its value float32[1, 1]",
    ],
    [
      'a value too many',
      () => changed({ v: ndarray([1]) }, {}),
      "there is a value 'v', and no variable of that name",
    ],
    [
      'a variable without a value',
      () =>
        changed(
          {},
          graph((text) => text.replaceAll('"w"', '"u"')),
        ),
      "variable 'u' has no value",
    ],
    [
      'another signature',
      () => changed({}, { 'shoal.signature': '{}' }),
      'the signature in the file is not that of its graph',
    ],
    ['a text', () => new TextEncoder().encode('not a model at all'), 'no file of a model, or a damaged one'],
    ['nothing', () => new Uint8Array(), 'truncated'],
  ])('%s', (_, file, message) => {
    expect(() => loadModel(file())).toThrow(ModelError)
    expect(() => loadModel(file())).toThrow(message)
  })

  it('is none for sizes of outputs that another release could not tell', () => {
    const text = decodeSafetensors(sound).metadata['shoal.signature']!
    const unknown = text.replace('["n",1]', '["?",1]')
    expect(unknown).not.toBe(text)
    expect(loadModel(changed({}, { 'shoal.signature': unknown })).signature).toEqual(JSON.parse(text))
  })

  it('an op that the reader does not allow', () => {
    const ops = standardOps.filter(({ def }) => def.name !== 'MatMul')
    expect(() => loadModel(sound, { ops })).toThrow("op is 'MatMul'")
    expect(() => loadModel(sound, { limits: { maxNodes: 1 } })).toThrow('more than 1')
  })

  it('is refused wherever it was cut or a bit was flipped', () => {
    for (let length = 0; length < sound.length; length += 5)
      expect(() => loadModel(sound.slice(0, length))).toThrow(ModelError)
    for (let at = 0; at < sound.length; at += 3)
      for (const bits of [1, 0x20]) {
        const damaged = Uint8Array.from(sound)
        damaged[at]! ^= bits
        expect(() => loadModel(damaged)).toThrow(ModelError)
      }
  })
})

describe('a predictor', () => {
  it('says which inputs the model takes', async () => {
    const model = loadModel(await linear())
    await using ready = await predictor(model)
    await expect(ready.predict({})).rejects.toThrow("input 'x' is missing: the model takes x")
    await expect(ready.predict({ x: [[1, 2]], z: 1 })).rejects.toThrow(
      "there is no input 'z': the model takes x",
    )
    await expect(ready.predict({ x: [[1, 2, 3]] })).rejects.toThrow('expected [n, 2], got [1, 3]')
    expect(
      (
        await ready.predict({
          x: [
            [1, 2],
            [3, 4],
          ],
        })
      )['y']!.toArray(),
    ).toEqual([[5], [11]])
  })

  it('ends with its scope', async () => {
    const ready = await predictor(loadModel(await linear()))
    await ready[Symbol.asyncDispose]()
    await expect(ready.predict({ x: [[1, 2]] })).rejects.toThrow('the session was closed')
  })
})
