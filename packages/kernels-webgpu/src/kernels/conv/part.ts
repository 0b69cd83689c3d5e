// Where an element of a tensor is: the sum of what its two positions in a product say, each worked out once and where it is known.
import type { BufferUse } from '../../stage.ts'
import type { Memory } from '../../wgsl/memory.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'

/** What one position says about the place of an element. */
export interface Part {
  /** What it adds to the index: of the element, or of the four neighbours where these are read together. */
  readonly index: string
  /** What it adds to the coordinates that must be within the tensor. */
  readonly coordinates?: readonly string[]
  /** A condition without which there is no such element. */
  readonly exists?: string | undefined
}

/** The elements of a buffer, as products read them. */
export interface Elements {
  readonly memory: Memory
  /** Sizes that coordinates must be below. */
  readonly sizes: readonly number[]
  /** What is read where coordinates are not within their sizes. */
  readonly padding: number
  /** Do numbers below 0 count as 0? */
  readonly floored: boolean
}

/** Neighbours that are read together: four where they stand in memory in aligned fours. */
export type Unit = 1 | 4

/** A use of a buffer that is only read, in these units. */
export const readUse = (
  arg: number,
  { dtype, length }: Pick<BufferUse, 'dtype' | 'length'>,
  unit: Unit,
): BufferUse => ({
  arg,
  dtype,
  length,
  access: 'read',
  vector: unit,
})

/** The parts of four neighbours from position `4 · quad` on: one part where they are read together. */
export function fourParts(
  shader: Shader,
  unit: Unit,
  quad: string,
  part: (position: string) => Part,
): readonly Part[] {
  if (unit === 4) return [part(quad)]
  return [0, 1, 2, 3].map((k) => part(shader.let(`4 * ${quad} + ${k}`)))
}

/** The four elements at these places, as a vector. */
export function fourElements(
  shader: Shader,
  elements: Elements,
  along: readonly Part[],
  across: Part,
): string {
  const type = `vec4<${scalarType(elements.memory.dtype)}>`
  if (along.length === 4)
    return shader.let(
      `${type}(${along.map((part) => oneElement(shader, elements, part, across)).join(', ')})`,
    )
  const value = elements.memory.load4(shader.let(plus(along[0]!.index, across.index)))
  return chosen(shader, elements, along[0]!, across, type, value)
}

/** The element at this place. */
export function oneElement(shader: Shader, elements: Elements, a: Part, b: Part): string {
  const value = elements.memory.load(shader.let(plus(a.index, b.index)))
  return chosen(shader, elements, a, b, scalarType(elements.memory.dtype), value)
}

/** A value if its element exists, otherwise the padding. */
function chosen(shader: Shader, elements: Elements, a: Part, b: Part, type: string, value: string): string {
  const { sizes, padding, floored } = elements
  const within = sizes.map((size, i) => {
    const coordinate = plus(a.coordinates?.[i] ?? '0', b.coordinates?.[i] ?? '0')
    // A number known here would be one of no type, and may be below 0.
    return `u32(${/[a-z]/.test(coordinate) ? coordinate : `i32(${coordinate})`}) < ${size}u`
  })
  const conditions = [...within, ...[a.exists, b.exists].filter((one) => one !== undefined)]
  const kept = shader.let(floored ? `max(${value}, ${type}(0))` : value)
  if (conditions.length === 0) return kept
  // Without branches: `&&` would make one for every condition.
  const all = conditions.length === 1 ? conditions[0]! : conditions.map((one) => `(${one})`).join(' & ')
  return shader.let(`select(${type}(${padding}), ${kept}, ${all})`)
}

/** A name or number times a number. */
export function times(a: string, factor: number): string {
  if (a === '0' || factor === 0) return '0'
  if (/^-?\d+$/.test(a)) return `${Number(a) * factor}`
  return factor === 1 ? a : `${a} * ${factor}`
}

/** A sum without what adds nothing. */
export const plus = (...terms: readonly string[]): string => terms.filter((t) => t !== '0').join(' + ') || '0'

/** The digits of a position among all points of these sizes, of which each is a number or a name. */
export function digits(shader: Shader, position: string, sizes: readonly string[]): string[] {
  let rest = position
  const found = sizes.map(() => '0')
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    if (sizes[axis] === '1') continue
    const outermost = sizes.slice(0, axis).every((size) => size === '1')
    found[axis] = outermost ? rest : shader.let(`${rest} % ${sizes[axis]}`)
    if (!outermost) rest = shader.let(`${rest} / ${sizes[axis]}`)
  }
  return found
}
