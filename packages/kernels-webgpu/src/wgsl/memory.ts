// How elements of every dtype lie in storage, which knows words of 32 bits and, on some devices, float16: loads and stores in WGSL.
import type { DType } from '@shoal/core'
import { dtypes, InternalError } from '@shoal/core'
import type { BufferUse } from '../stage.ts'
import { fromBits, scalarType, toBits } from './representation.ts'
import type { Shader } from './shader.ts'

/** A storage buffer as a shader declares it: an array of words, of float16 numbers, or of vectors of these. */
export interface Binding {
  readonly element: 'f32' | 'i32' | 'u32' | 'f16'
  readonly atomic: boolean
  /** Words or float16 numbers in one item of the array. */
  readonly vector: 1 | 2 | 4
  /** The whole type. */
  readonly type: string
  readonly writes: boolean
}

/** Elements of a dtype in a word. */
export const perWord = (dtype: DType): number => 4 / dtypes[dtype].bytes

/**
 * What one buffer must be declared as to serve all these uses.
 * @param features of the device. With `shader-f16`, float16 elements are float16 in WGSL too, unless they are used as words. Default none.
 */
export function bindingFor(uses: readonly BufferUse[], features: ReadonlySet<string> = new Set()): Binding {
  const half = features.has('shader-f16') && uses.every(({ dtype, words }) => dtype === 'float16' && !words)
  const types = new Set(uses.map(({ dtype }) => (perWord(dtype) > 1 ? 'u32' : (scalarType(dtype) as 'f32'))))
  const element = half ? 'f16' : types.size === 1 ? [...types][0]! : 'u32'
  const writes = uses.some(({ access }) => access === 'write')
  const atomic = !half && uses.some(storesAtomically)
  // Four elements of fewer than 4 bytes are one word or two.
  const widths = new Set(
    uses.map(({ dtype, vector }) => (vector === 4 ? (half ? 4 : 4 / perWord(dtype)) : 1)),
  )
  const vector = !atomic && widths.size === 1 ? ([...widths][0]! as Binding['vector']) : 1
  const words = Math.max(1, ...uses.map(({ dtype, length }) => Math.ceil(length / perWord(dtype))))
  const one = atomic ? 'atomic<u32>' : vector === 1 ? element : `vec${vector}<${element}>`
  const items = Math.ceil((half ? 2 * words : words) / vector)
  return { element, atomic, vector, writes, type: `array<${one}, ${items}>` }
}

/** Are elements stored that share words with those that other lanes store? */
const storesAtomically = ({ access, dtype, vector, words }: BufferUse): boolean =>
  access === 'write' && perWord(dtype) > 1 && vector !== 4 && !words

/** One buffer in the text of a shader. Indices are i32; values are of the type that the dtype is computed in (`scalarType`). */
export class Memory {
  readonly dtype: DType
  readonly length: number
  private readonly shader: Shader
  private readonly binding: Binding
  private readonly name: string
  /** Elements of the dtype in one of the binding's: 1, unless several share a word. */
  private readonly per: number

  constructor(shader: Shader, { dtype, length }: BufferUse, binding: Binding, name: string) {
    this.shader = shader
    this.dtype = dtype
    this.length = length
    this.binding = binding
    this.name = name
    this.per = binding.element === 'f16' ? 1 : perWord(dtype)
  }

  /** Element `index`. Beyond the end it is any element, or 0. */
  load(index: string): string {
    const { shader, dtype, per } = this
    if (per === 1) return this.value(this.item(index))
    return fromBits(shader, dtype, this.item(`(${index}) / ${per}`), this.shift(index))
  }

  /** Stores element `index`. */
  store(index: string, value: string): void {
    const { shader, name, dtype, per } = this
    if (per === 1) return this.set(index, this.stored(value))
    if (!this.binding.atomic)
      throw new InternalError(`elements of ${dtype} were to be stored where only words may be`)
    const place = shader.let(`(${index}) / ${per}`)
    const shift = shader.let(this.shift(index))
    const mask = per === 4 ? '0xffu' : '0xffffu'
    const bits = shader.let(`${toBits(shader, dtype, value)} << ${shift}`)
    shader.line(`atomicAnd(&${name}[${place}], ~(${mask} << ${shift}));`)
    shader.line(`atomicOr(&${name}[${place}], ${bits});`)
  }

  /** Elements 4·index to 4·index + 3, as a vector. */
  load4(index: string): string {
    const { shader, dtype, per } = this
    if (per === 1) return this.value(this.fourItems(index), 4)
    const items = shader.let(this.fourItems(index))
    const words = per === 4 ? [items] : [`${items}.x`, `${items}.y`]
    if (dtype === 'float16') return `vec4<f32>(${words.map((word) => `unpack2x16float(${word})`).join(', ')})`
    const values = [0, 1, 2, 3].map((k) =>
      fromBits(shader, dtype, words[Math.floor(k / per)]!, `${(k % per) * (32 / per)}u`),
    )
    return `vec4<${scalarType(dtype)}>(${values.join(', ')})`
  }

  /** Stores elements 4·index to 4·index + 3. */
  store4(index: string, value: string): void {
    const { shader, binding, per } = this
    if (per === 1 && binding.element !== 'f16') return this.setFour(index, this.cast(value, 4))
    const four = shader.let(value)
    const [a, b, c, d] = [0, 1, 2, 3].map((k) => `${four}[${k}]`) as [string, string, string, string]
    if (per === 4) return this.setFour(index, this.packed([a, b, c, d]))
    const words = `vec2<u32>(${this.packed([a, b])}, ${this.packed([c, d])})`
    this.setFour(index, per === 2 ? words : `bitcast<vec4<f16>>(${words})`)
  }

  /** Word `index`, as u32: for dtypes of fewer than 4 bytes. */
  loadWord(index: string): string {
    const { element } = this.binding
    if (element === 'f16') {
      const first = this.shader.let(`2 * (${index})`)
      return `bitcast<u32>(vec2<f16>(${this.item(first)}, ${this.item(`${first} + 1`)}))`
    }
    const word = this.item(index)
    return element === 'u32' ? word : `bitcast<u32>(${word})`
  }

  /** Stores word `index`, given as u32, of a use that says `words`. */
  storeWord(index: string, word: string): void {
    const { element } = this.binding
    if (element === 'f16') throw new InternalError('a word was to be stored where single elements are')
    this.set(index, element === 'u32' ? word : `bitcast<${element}>(${word})`)
  }

  /** The word in which `values` lie one after the other. */
  packed(values: readonly string[]): string {
    const bits = 32 / perWord(this.dtype)
    return values.map((value, k) => `(${toBits(this.shader, this.dtype, value)} << ${k * bits}u)`).join(' | ')
  }

  /** Item `index` of the binding: a word, or a float16 number. */
  private item(index: string): string {
    const { atomic, vector } = this.binding
    if (atomic) return `atomicLoad(&${this.name}[${index}])`
    if (vector === 1) return `${this.name}[${index}]`
    const at = this.shader.let(index)
    return `${this.name}[${at} / ${vector}][${at} % ${vector}]`
  }

  private set(index: string, item: string): void {
    const { atomic, vector } = this.binding
    if (atomic) return this.shader.line(`atomicStore(&${this.name}[${index}], ${item});`)
    // Whoever stores one component of a vector may write all of it: lanes that store its others would race.
    if (vector !== 1)
      throw new InternalError(`one element of ${this.dtype} was to be stored where only fours may be`)
    this.shader.line(`${this.name}[${index}] = ${item};`)
  }

  /** The items that hold four elements, `index` times as many behind the first: one, or a vector of two or four. */
  private fourItems(index: string): string {
    const { shader, binding, per } = this
    const count = 4 / per
    if (count === 1) return this.item(index)
    if (binding.vector === count) return `${this.name}[${index}]`
    const first = shader.let(`${count} * (${index})`)
    const items = Array.from({ length: count }, (_, k) => this.item(`${first} + ${k}`))
    return `vec${count}<${binding.element}>(${items.join(', ')})`
  }

  private setFour(index: string, items: string): void {
    const { shader, binding, per } = this
    const count = 4 / per
    if (count === 1) return this.set(index, items)
    if (binding.vector === count) return shader.line(`${this.name}[${index}] = ${items};`)
    const [first, all] = [shader.let(`${count} * (${index})`), shader.let(items)]
    for (let k = 0; k < count; k++) this.set(`${first} + ${k}`, `${all}[${k}]`)
  }

  /** How far to the left an element lies in its word. */
  private shift(index: string): string {
    return `u32((${index}) % ${this.per}) * ${32 / this.per}u`
  }

  /** Items that are an element each, or a vector of them, as values. */
  private value(items: string, width: 1 | 4 = 1): string {
    const { element } = this.binding
    const type = typeOf(scalarType(this.dtype), width)
    if (element === 'f16') return `${type}(${items})`
    return scalarType(this.dtype) === element ? items : `bitcast<${type}>(${items})`
  }

  /** A value as an item. `f16(x)` rounds as the device likes: hence by bits. */
  private stored(value: string): string {
    if (this.binding.element !== 'f16') return this.cast(value, 1)
    return `bitcast<vec2<f16>>(${toBits(this.shader, this.dtype, value)}).x`
  }

  /** Values of 4 bytes as items. */
  private cast(values: string, width: 1 | 4): string {
    const { element } = this.binding
    return scalarType(this.dtype) === element ? values : `bitcast<${typeOf(element, width)}>(${values})`
  }
}

/** WGSL's name of a scalar, or of a vector. */
const typeOf = (element: string, width: 1 | 4): string => (width === 1 ? element : `vec4<${element}>`)
