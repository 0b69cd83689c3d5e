// Pairs (key, index) that are sorted: as values, in workgroup memory and in scratch memory.
import type { BufferUse } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'

/** A pair, each half an u32. */
export interface Pair {
  readonly key: string
  readonly index: string
}

/** What fills rows up: it comes after every pair that counts. */
export const last: Pair = { key: '0xffffffffu', index: '0x7fffffffu' }

/** Pairs of a block in workgroup memory. */
export interface Block {
  readonly keys: string
  readonly indices: string
  readonly size: number
  readonly lanes: number
}

/** Memory for a block. Sizes are powers of two. */
export function blockOf(shader: Shader, size: number, lanes: number): Block {
  const type = `array<u32, ${size}>`
  return { keys: shader.shared(type), indices: shader.shared(type), size, lanes }
}

/** The pair at a place of a block. */
export const pairAt = (shader: Shader, { keys, indices }: Block, i: string): Pair => ({
  key: shader.let(`${keys}[${i}]`),
  index: shader.let(`${indices}[${i}]`),
})

/** Pairs in scratch memory: all keys, then all indices. */
export interface Pairs {
  readonly arg: number
  readonly from: number
  readonly count: number
}

/** How they are used. */
export const pairsUse = ({ arg, from, count }: Pairs, access: BufferUse['access']): BufferUse => ({
  arg,
  dtype: 'uint32',
  length: from + 2 * count,
  access,
})

/** The pair at a place. */
export function loadPair(shader: Shader, use: number, { from, count }: Pairs, place: string): Pair {
  const memory = shader.memory(use)
  const at = shader.let(`${from} + ${place}`)
  return { key: shader.let(memory.load(at)), index: shader.let(memory.load(`${at} + ${count}`)) }
}

/** Stores the pair at a place. */
export function storePair(
  shader: Shader,
  use: number,
  { from, count }: Pairs,
  place: string,
  pair: Pair,
): void {
  const at = shader.let(`${from} + ${place}`)
  shader.memory(use).store(at, pair.key)
  shader.memory(use).store(`${at} + ${count}`, pair.index)
}
