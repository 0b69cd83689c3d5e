// How elements of every dtype lie in storage, which knows words of 32 bits only: loads and stores in WGSL.
import type { DType } from '@shoal/core'
import { dtypes, InternalError } from '@shoal/core'
import type { BufferUse } from '../stage.ts'
import { fromBits, scalarType, toBits } from './representation.ts'
import type { Shader } from './shader.ts'

/** A storage buffer as a shader declares it. */
export interface Binding {
  /** The type of its elements, without vectors and atomics. */
  readonly element: 'f32' | 'i32' | 'u32'
  readonly atomic: boolean
  readonly vector: 1 | 4
  /** The whole type. */
  readonly type: string
  readonly writes: boolean
}

/** Elements of a dtype in a word. */
export const perWord = (dtype: DType): number => 4 / dtypes[dtype].bytes

/** What one buffer must be declared as to serve all these uses. */
export function bindingFor(uses: readonly BufferUse[]): Binding {
  const types = new Set(uses.map(({ dtype }) => (perWord(dtype) > 1 ? 'u32' : (scalarType(dtype) as 'f32'))))
  const element = types.size === 1 ? [...types][0]! : 'u32'
  const writes = uses.some(({ access }) => access === 'write')
  const atomic = uses.some(({ access, dtype, words }) => access === 'write' && perWord(dtype) > 1 && !words)
  const vector = !atomic && uses.every((use) => use.vector === 4) ? 4 : 1
  const words = Math.max(1, ...uses.map(({ dtype, length }) => Math.ceil(length / perWord(dtype))))
  const one = atomic ? 'atomic<u32>' : vector === 4 ? `vec4<${element}>` : element
  return { element, atomic, vector, writes, type: `array<${one}, ${Math.ceil(words / vector)}>` }
}

/** One buffer in the text of a shader. Indices are i32; values are of the type that the dtype is computed in (`scalarType`). */
export class Memory {
  readonly dtype: DType
  readonly length: number
  private readonly shader: Shader
  private readonly binding: Binding
  private readonly name: string

  constructor(shader: Shader, { dtype, length }: BufferUse, binding: Binding, name: string) {
    this.shader = shader
    this.dtype = dtype
    this.length = length
    this.binding = binding
    this.name = name
  }

  /** Element `index`. Beyond the end it is any element, or 0. */
  load(index: string): string {
    const per = perWord(this.dtype)
    if (per === 1) return this.reinterpreted(this.word(index))
    const word = this.word(`(${index}) / ${per}`)
    return fromBits(this.shader, this.dtype, word, this.shift(index))
  }

  /** Stores element `index`. */
  store(index: string, value: string): void {
    const per = perWord(this.dtype)
    if (per === 1) return this.set(index, this.unreinterpreted(value))
    if (!this.binding.atomic)
      throw new InternalError(`elements of ${this.dtype} were to be stored where only words may be`)
    const { shader, name } = this
    const place = shader.let(`(${index}) / ${per}`)
    const shift = shader.let(this.shift(index))
    const mask = per === 4 ? '0xffu' : '0xffffu'
    const bits = shader.let(`${toBits(shader, this.dtype, value)} << ${shift}`)
    shader.line(`atomicAnd(&${name}[${place}], ~(${mask} << ${shift}));`)
    shader.line(`atomicOr(&${name}[${place}], ${bits});`)
  }

  /** Elements 4·index to 4·index + 3 of a dtype of 4 bytes, as a vector. */
  load4(index: string): string {
    const { vector, element } = this.binding
    const type = `vec4<${scalarType(this.dtype)}>`
    if (vector === 4) {
      const whole = `${this.name}[${index}]`
      return type === `vec4<${element}>` ? whole : `bitcast<${type}>(${whole})`
    }
    const first = this.shader.let(`4 * (${index})`)
    return `${type}(${[0, 1, 2, 3].map((k) => this.load(`${first} + ${k}`)).join(', ')})`
  }

  /** Stores elements 4·index to 4·index + 3 of a dtype of 4 bytes. */
  store4(index: string, value: string): void {
    const { vector, element } = this.binding
    if (vector === 4) {
      const same = scalarType(this.dtype) === element
      this.shader.line(`${this.name}[${index}] = ${same ? value : `bitcast<vec4<${element}>>(${value})`};`)
      return
    }
    const [first, all] = [this.shader.let(`4 * (${index})`), this.shader.let(value)]
    ;[0, 1, 2, 3].forEach((k) => this.store(`${first} + ${k}`, `${all}[${k}]`))
  }

  /** Word `index`, as u32: for dtypes of fewer than 4 bytes. */
  loadWord(index: string): string {
    const word = this.word(index)
    return this.binding.element === 'u32' ? word : `bitcast<u32>(${word})`
  }

  /** Stores word `index`, given as u32. */
  storeWord(index: string, word: string): void {
    const { element } = this.binding
    this.set(index, element === 'u32' ? word : `bitcast<${element}>(${word})`)
  }

  /** The word in which `values` lie one after the other. */
  packed(values: readonly string[]): string {
    const bits = 32 / perWord(this.dtype)
    return values.map((value, k) => `(${toBits(this.shader, this.dtype, value)} << ${k * bits}u)`).join(' | ')
  }

  private word(index: string): string {
    const { atomic, vector } = this.binding
    if (atomic) return `atomicLoad(&${this.name}[${index}])`
    if (vector === 1) return `${this.name}[${index}]`
    const at = this.shader.let(index)
    return `${this.name}[${at} / 4][${at} % 4]`
  }

  private set(index: string, word: string): void {
    const { atomic, vector } = this.binding
    if (atomic) return this.shader.line(`atomicStore(&${this.name}[${index}], ${word});`)
    if (vector === 1) return this.shader.line(`${this.name}[${index}] = ${word};`)
    const at = this.shader.let(index)
    this.shader.line(`${this.name}[${at} / 4][${at} % 4] = ${word};`)
  }

  /** How far to the left an element lies in its word. */
  private shift(index: string): string {
    const per = perWord(this.dtype)
    return `u32((${index}) % ${per}) * ${32 / per}u`
  }

  private reinterpreted(word: string): string {
    const type = scalarType(this.dtype)
    return type === this.binding.element ? word : `bitcast<${type}>(${word})`
  }
  private unreinterpreted(value: string): string {
    const { element } = this.binding
    return scalarType(this.dtype) === element ? value : `bitcast<${element}>(${value})`
  }
}
