// One factor of a product, as lanes read it: single elements, or four that lie side by side.
import type { DType } from '@shoal/core'
import type { BufferUse } from '../../stage.ts'
import type { Memory } from '../../wgsl/memory.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { type Arithmetic, rectifiedBytes } from './arithmetic.ts'

/** A matrix of a product, or a batch of them. */
export interface Operand {
  /** Position among the arguments of the launch. */
  readonly arg: number
  readonly dtype: DType
  /** Elements of the dtype in memory. */
  readonly length: number
  /** The sizes of the axis that the result has too, and of the axis that is summed. */
  readonly outer: number
  readonly inner: number
  /** The axis along which neighbours lie side by side. */
  readonly along: 'outer' | 'inner'
  /** Elements from one matrix to the next for each axis of the batches; 0 where all use the same. */
  readonly batchStrides: readonly number[]
  /** Elements are words of four int8. */
  readonly words?: boolean
  /** What is less than 0 counts as 0. */
  readonly rectified?: boolean
}

/** Does each row of neighbours begin and end with a whole group of four? */
export const inFours = ({ along, outer, inner }: Operand): boolean =>
  (along === 'outer' ? outer : inner) % 4 === 0

/** How a stage uses an operand's buffer. @param fours does it read groups of four where there are any, rather than single elements? */
export const useOf = (operand: Operand, fours: boolean): BufferUse => ({
  arg: operand.arg,
  dtype: operand.dtype,
  length: operand.length,
  access: 'read',
  vector: fours && inFours(operand) && !operand.words ? 4 : 1,
})

/** Reads the operand's matrix of one batch. */
export class OperandReader {
  private readonly shader: Shader
  private readonly memory: Memory
  private readonly operand: Operand
  private readonly element: Arithmetic['element']
  /** Where the matrix begins: in groups of four if rows are made of them, else in elements. */
  private readonly origin: string

  /** @param batch the position along each axis of the batches. */
  constructor(
    shader: Shader,
    memory: Memory,
    operand: Operand,
    { element }: Arithmetic,
    batch: readonly string[],
  ) {
    this.shader = shader
    this.memory = memory
    this.operand = operand
    this.element = element
    const unit = inFours(operand) ? 4 : 1
    const terms = operand.batchStrides.flatMap((stride, axis) =>
      stride === 0 || batch[axis] === '0' ? [] : [`${batch[axis]!} * ${stride / unit}`],
    )
    this.origin = terms.length === 0 ? '' : `${shader.let(terms.join(' + '))} + `
  }

  /** One element. */
  one(outer: string, inner: string): string {
    const { along, outer: rows, inner: depth } = this.operand
    const [other, at, size] = along === 'outer' ? [inner, outer, rows] : [outer, inner, depth]
    const origin = inFours(this.operand) && this.origin ? `4 * (${this.origin}0) + ` : this.origin
    return this.value(`${origin}(${other}) * ${size} + ${at}`)
  }

  /**
   * Elements 4·quad to 4·quad + 3 along the axis of neighbours, at `other` on the other axis, as a vector. Beyond the outer axis they are any.
   * @param ragged may they lie beyond the inner axis? Then those are 0.
   */
  four(other: string, quad: string, ragged: boolean): string {
    const { shader, operand, element } = this
    const { along, inner } = operand
    const size = along === 'outer' ? operand.outer : inner
    const type = `vec4<${element}>`
    const within = (value: string, condition: string): string =>
      ragged ? shader.let(`select(${type}(), ${value}, ${condition})`) : value
    if (inFours(operand)) {
      const index = shader.let(`${this.origin}(${other}) * ${size / 4} + ${quad}`)
      return within(this.group(index), along === 'outer' ? `${other} < ${inner}` : `${quad} < ${inner / 4}`)
    }
    const first = shader.let(`${this.origin}(${other}) * ${size} + 4 * (${quad})`)
    const values = [0, 1, 2, 3].map((k) => this.value(`${first} + ${k}`))
    if (along === 'outer') return within(`${type}(${values.join(', ')})`, `${other} < ${inner}`)
    const step = shader.let(`${type.replace(element, 'i32')}(4 * (${quad})) + vec4<i32>(0, 1, 2, 3)`)
    return within(`${type}(${values.join(', ')})`, `${step} < vec4<i32>(${inner})`)
  }

  /** Group `index` of four elements. */
  private group(index: string): string {
    const { shader, memory, operand, element } = this
    if (!operand.words) {
      const four = memory.load4(index)
      return operand.rectified ? `max(${four}, vec4<${element}>())` : four
    }
    const words = [0, 1, 2, 3].map((k) => shader.let(memory.loadWord(`4 * (${index}) + ${k}`)))
    return `vec4<${element}>(${words.map((word) => this.refined(word)).join(', ')})`
  }

  private value(index: string): string {
    const { memory, shader, operand } = this
    return shader.let(this.refined(operand.words ? memory.loadWord(index) : memory.load(index)))
  }

  private refined(value: string): string {
    const { rectified, words } = this.operand
    if (!rectified) return value
    return words ? `${this.shader.include(rectifiedBytes)}(${value})` : `max(${value}, 0)`
  }
}
