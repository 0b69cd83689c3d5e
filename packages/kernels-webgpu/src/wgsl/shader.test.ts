import { InternalError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { Shader, spread } from './shader.ts'

const empty = (): Shader => new Shader([], [], [])
const stage = { groups: 1, lanes: 1 }

describe('a shader', () => {
  it('says a function once, after those that it needs', () => {
    const shader = empty()
    const one = { name: 'one', code: 'fn one() -> i32 { return 1; }' }
    const two = { name: 'two', code: 'fn two() -> i32 { return one() + one(); }', needs: [one] }
    expect(shader.include(two)).toBe('two')
    expect(shader.include(one)).toBe('one')
    expect(shader.text(stage).match(/fn \w+/g)).toEqual(['fn one', 'fn two', 'fn main'])
  })

  it('takes no other function of the same name', () => {
    const shader = empty()
    shader.include({ name: 'f', code: 'fn f() -> i32 { return 1; }' })
    expect(() => shader.include({ name: 'f', code: 'fn f() -> i32 { return 2; }' })).toThrow(InternalError)
  })

  it('says what it enables before all else, and takes the values that it asks for', () => {
    const shader = empty()
    shader.include({ name: 'f', code: 'fn f() -> i32 { return 1; }' })
    shader.enable('subgroups')
    shader.enable('subgroups')
    shader.line(`let n = ${shader.builtin('num_subgroups')};`)
    const text = shader.text(stage)
    expect(text.split('\n')[0]).toBe('enable subgroups;')
    expect(text.split('enable')).toHaveLength(2)
    expect(text).toMatch('@builtin(num_subgroups) num_subgroups: u32')
  })

  it('spreads more workgroups than one dimension has over two', () => {
    expect(spread(65535)).toEqual([65535, 1])
    expect(spread(65536)).toEqual([32768, 2])
  })
})
