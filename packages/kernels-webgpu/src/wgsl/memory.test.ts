import { InternalError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { BufferUse } from '../stage.ts'
import { bindingFor } from './memory.ts'
import { Shader } from './shader.ts'

const half = new Set(['shader-f16'])
const read: BufferUse = { arg: 0, dtype: 'float16', length: 8, access: 'read' }
const write: BufferUse = { arg: 1, dtype: 'float16', length: 8, access: 'write' }

/** The text of a shader that copies, in the way of `body`. */
function copying(
  from: BufferUse,
  to: BufferUse,
  features: ReadonlySet<string>,
  body: (shader: Shader) => void,
): string {
  const uses = [from, to]
  const shader = new Shader(
    uses,
    uses.map((use) => bindingFor([use], features)),
    [0, 1],
  )
  body(shader)
  return shader.text({ groups: 1, lanes: 8 })
}
const one = (shader: Shader): void => shader.memory(1).store('lane', shader.memory(0).load('lane'))
const four = (shader: Shader): void => shader.memory(1).store4('lane', shader.memory(0).load4('lane'))
const word = (shader: Shader): void => shader.memory(1).storeWord('lane', shader.memory(0).loadWord('lane'))

describe('float16 elements', () => {
  it('are stored without atomic operations where the device has them', () => {
    expect(bindingFor([write], half)).toMatchObject({ element: 'f16', atomic: false, type: 'array<f16, 8>' })
    expect(bindingFor([write])).toMatchObject({ element: 'u32', atomic: true, type: 'array<atomic<u32>, 4>' })
    const text = copying(read, write, half, one)
    expect(text).toMatch(/^enable f16;/)
    expect(text).toMatch('buffer1[lane] = bitcast<vec2<f16>>(float16_bits(f32(buffer0[lane]))).x;')
    expect(text).not.toMatch('atomic')
  })

  it('are words where words are read or stored, or other dtypes share the buffer', () => {
    expect(bindingFor([{ ...write, words: true }], half).element).toBe('u32')
    expect(bindingFor([write, { ...read, words: true }], half).element).toBe('u32')
    expect(bindingFor([write, { ...read, dtype: 'int16' }], half).element).toBe('u32')
    expect(copying(read, { ...write, words: true }, half, word)).toMatch('bitcast<u32>(vec2<f16>(')
    expect(() => copying(read, write, half, word)).toThrow(InternalError)
  })

  it('go four at a time as vectors', () => {
    const vectors = [
      { ...read, vector: 4 },
      { ...write, vector: 4 },
    ] as const
    expect(bindingFor([vectors[1]], half).type).toBe('array<vec4<f16>, 2>')
    expect(bindingFor([vectors[1]])).toMatchObject({ type: 'array<vec2<u32>, 2>', atomic: false })
    expect(copying(...vectors, half, four)).toMatch('vec4<f32>(buffer0[lane])')
    expect(copying(...vectors, new Set(), four)).toMatch('unpack2x16float')
    expect(bindingFor([vectors[0], read], half).vector).toBe(1)
  })
})

describe('small elements', () => {
  it('go four at a time as words', () => {
    const bytes = { dtype: 'int8', length: 8, vector: 4 } as const
    const uses = [
      { ...read, ...bytes },
      { ...write, ...bytes },
    ] as const
    expect(bindingFor([uses[1]])).toMatchObject({ type: 'array<u32, 2>', atomic: false })
    expect(copying(...uses, new Set(), four)).toMatch('extractBits')
  })
})

describe('elements that go four at a time', () => {
  it('are never stored one by one, since lanes that store neighbours would race', () => {
    const fours = { dtype: 'float32', length: 8, vector: 4 } as const
    const to = { ...write, ...fours }
    expect(copying({ ...read, ...fours }, to, new Set(), four)).toMatch('buffer1[lane] = buffer0[lane];')
    expect(() => copying({ ...read, ...fours }, to, new Set(), one)).toThrow(InternalError)
    expect(() => copying(read, { ...write, vector: 4 }, half, one)).toThrow(
      'one element of float16 was to be stored where only fours may be',
    )
    // A use that reads single elements of the same buffer has it declared as such.
    expect(bindingFor([to, { ...read, ...fours, vector: 1 }]).vector).toBe(1)
  })
})
