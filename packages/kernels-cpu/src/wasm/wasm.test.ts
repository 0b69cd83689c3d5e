import { describe, expect, it } from 'vitest'
import {
  AssemblerError,
  atomic,
  call,
  f32,
  f32x4,
  f64,
  f64x2,
  features,
  i16x8,
  i32,
  i32x4,
  i64,
  i64x2,
  i8x16,
  memory,
  ModuleBuilder,
  select,
  type Value,
  v128,
} from './index.ts'
import { CodeBuffer } from './code.ts'

type Exports = Record<string, (...numbers: number[]) => number>

function withMemory(shared = false): {
  module: ModuleBuilder
  start: (imports?: object) => Exports
  bytes: DataView
} {
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 1, shared })
  const arena = new WebAssembly.Memory({ initial: 1, maximum: 1, shared })
  const start = (imports: object = {}) =>
    new WebAssembly.Instance(module.compile(), { ...imports, env: { memory: arena } }).exports as Exports
  return { module, start, bytes: new DataView(arena.buffer) }
}

describe('CodeBuffer', () => {
  it('writes LEB128 integers as the specification does', () => {
    const code = new CodeBuffer()
    code.unsigned(624485)
    code.signed(-123456)
    code.signed(2 ** 32 - 1)
    code.signed64(-(2n ** 63n))
    expect([...code.bytes.subarray(0, 7)]).toEqual([0xe5, 0x8e, 0x26, 0xc0, 0xbb, 0x78, 0x7f])
    expect([...code.bytes.subarray(7)]).toEqual([...Array(9).fill(0x80), 0x7f])
  })

  it('grows beyond its first allocation', () => {
    const code = new CodeBuffer()
    for (let i = 0; i < 10_000; i++) code.byte(i & 255)
    expect(code.length).toBe(10_000)
    expect(code.bytes[9_999]).toBe(9_999 & 255)
  })
})

describe('ModuleBuilder', () => {
  it('defines functions whose parameters, locals and results are typed', () => {
    const { module, start } = withMemory()
    module.export(
      module.define('mix', ['i32', 'f64', 'f32'], 'f64', (f, a, b, c) => {
        const sum = f.let(f64.add(f64.convert_i32_s(a), b))
        f.set(sum, f64.mul(sum, f64.promote_f32(c)))
        return sum
      }),
    )
    expect(start().mix?.(3, 0.5, 2)).toBe(7)
  })

  it('accepts imports after definitions that call them, and gives each type once', () => {
    const { module, start } = withMemory()
    const seven = module.define('seven', [], 'f64', () => 7)
    const main = module.define('main', [], 'f64', () => {
      const late = module.importFunction('math', 'sqrt', ['f64'], 'f64')
      expect(module.importFunction('math', 'sqrt', ['f64'], 'f64')).toBe(late)
      return f64.add(call(late, 16), call(seven))
    })
    module.export(main)
    expect(start({ math: { sqrt: Math.sqrt } }).main?.()).toBe(11)
  })

  it('lets a function be defined while another is being written', () => {
    const { module, start } = withMemory()
    const outer = module.define('outer', ['i32'], 'i32', (_, x) => {
      const inner = module.define('inner', ['i32'], 'i32', (_f, y) => i32.mul(y, y))
      return i32.add(call(inner, x), 1)
    })
    module.export(outer)
    expect(start().outer?.(5)).toBe(26)
  })

  it('shares memory between threads and does atomics on it', () => {
    const { module, start, bytes } = withMemory(true)
    const add = module.define('add', ['i32'], 'i32', (f, n) => {
      f.do(atomic.i32_add(8, n), atomic.notify(8, 1), memory.fill(16, 7, 4), memory.copy(20, 16, 4))
      return atomic.i32_compare_exchange(8, n, 99)
    })
    module.export(add)
    expect(start().add?.(5)).toBe(5)
    expect([bytes.getInt32(8, true), bytes.getInt32(20, true)]).toEqual([99, 0x07070707])
  })

  it('waits at a word, except on the main thread of a page', () => {
    const { module, start } = withMemory(true)
    module.export(module.define('wait', [], 'i32', () => atomic.wait32(8, 1, 0n)))
    const wait = () => {
      try {
        return start().wait?.()
      } catch (error) {
        return (error as Error).name
      }
    }
    // 1: the word is another already. A page that slept would answer no one.
    expect(wait()).toBe(typeof document === 'undefined' ? 1 : 'RuntimeError')
  })

  it('names functions of another module, double exports and missing maxima as faults', () => {
    const stranger = new ModuleBuilder().define('stranger', [], 'i32', () => 1)
    const module = new ModuleBuilder()
    module.define('caller', [], 'i32', () => call(stranger))
    expect(() => module.build()).toThrow("'stranger' is a function of another module")
    const other = new ModuleBuilder()
    const f = other.define('f', [], 'none', () => {})
    other.export(f)
    expect(() => other.export(f)).toThrow(AssemblerError)
    expect(() => other.importMemory({ module: 'a', name: 'b', initial: 1, shared: true })).toThrow('maximum')
  })
})

describe('FunctionBuilder', () => {
  it('repeats ranges with constant and computed bounds, also empty ones', () => {
    const { module, start } = withMemory()
    module.export(
      module.define('sum', ['i32', 'i32', 'i32'], 'i32', (f, begin, end, step) => {
        const sum = f.local('i32')
        f.forRange(begin, end, step, (i) => f.set(sum, i32.add(sum, i)))
        f.forRange(0, 3, 1, () => f.set(sum, i32.add(sum, 1000)))
        f.forRange(3, 3, 1, () => f.unreachable())
        return sum
      }),
    )
    const { sum } = start()
    expect(sum?.(2, 11, 3)).toBe(3000 + 2 + 5 + 8)
    expect(sum?.(5, 5, 1)).toBe(3000)
  })

  it('branches out of blocks, back in loops, and both ways of an if', () => {
    const { module, start } = withMemory()
    // Length of the Collatz sequence, with a limit.
    module.export(
      module.define('collatz', ['i32', 'i32'], 'i32', (f, n, limit) => {
        const steps = f.local('i32')
        f.block((done) => {
          f.loop((again) => {
            f.branch(done, i32.eq(n, 1))
            f.branch(done, i32.ge_s(steps, limit))
            f.if(
              i32.and(n, 1),
              () => f.set(n, i32.add(i32.mul(n, 3), 1)),
              () => f.set(n, i32.shr_u(n, 1)),
            )
            f.set(steps, i32.add(steps, 1))
            f.branch(again)
          })
        })
        f.while(i32.gt_s(steps, 1000), () => f.set(steps, i32.sub(steps, 1000)))
        f.if(i32.eqz(steps), () => f.return(-1))
        return select(i32.lt_s(steps, limit), steps, limit)
      }),
    )
    const { collatz } = start()
    expect(collatz?.(27, 500)).toBe(111)
    expect(collatz?.(27, 50)).toBe(50)
    expect(collatz?.(1, 50)).toBe(-1)
  })

  it('sets constants once, before everything else, however often they are asked for', () => {
    const { module, start, bytes } = withMemory()
    module.export(
      module.define('fill', ['i32'], 'none', (f, end) => {
        f.forRange(0, end, 16, (i) => f.do(v128.store(i, f.constant(f32x4.const(2.5)))))
        expect(f.constant(f32x4.const(2.5))).toBe(f.constant(f32x4.const(2.5)))
        expect(f.constant(f32x4.const(0))).not.toBe(f.constant(f32x4.const(-0)))
      }),
    )
    start().fill?.(64)
    expect(bytes.getFloat32(60, true)).toBe(2.5)
    expect(bytes.getFloat32(64, true)).toBe(0)
  })

  it('refuses operands of a wrong type, foreign locals, and missing or unwanted results', () => {
    const module = new ModuleBuilder()
    const wrong = f32.const(1) as Value as Value<'i32'>
    expect(() => i32.add(1, wrong)).toThrow('i32.add takes i32, not f32')
    module.define('a', ['i32'], 'none', (_, x) => {
      expect(() => module.define('b', [], 'i32', () => x)).toThrow('belongs to another function')
    })
    expect(() => module.define('c', [], 'i32', (() => undefined) as never)).toThrow('ends without one')
    expect(() => v128.load(0, -4)).toThrow('v128.load: lane or offset -4')
  })
})

describe('features', () => {
  it('finds all of them in Node, and the same answer again', () => {
    expect(features()).toEqual({ simd: true, relaxedSimd: true, threads: true })
    expect(features()).toBe(features())
  })
})

describe('instructions', () => {
  const tables = { i32, i64, f32, f64, v128, f32x4, f64x2, i8x16, i16x8, i32x4, i64x2, atomic }
  const samples = {
    i32: i32.const(0),
    i64: i64.const(0n),
    f32: f32.const(1),
    f64: f64.const(1),
    v128: i32x4.const(0),
  }

  /** Operand and result types of an instruction, found by trying: the tables know, and check. */
  function anyUse(operation: (...operands: never[]) => Value): Value {
    let operands: Value[] = []
    for (;;) {
      try {
        return operation(...(operands as never[]))
      } catch (error) {
        const wanted = /takes (\w+), not|undefined/.exec(String(error))?.[1] as
          | keyof typeof samples
          | undefined
        if (wanted) operands = [...operands.slice(0, -1), samples[wanted]]
        else operands = [...operands, samples.i32]
      }
    }
  }

  for (const [name, table] of Object.entries(tables))
    it(`encodes every instruction of ${name} as the engine understands it`, () => {
      for (const [instruction, operation] of Object.entries(table)) {
        if (instruction === 'const' || instruction === 'shuffle') continue
        const module = new ModuleBuilder()
        module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 1, shared: true })
        module.define(instruction, [], 'none', (f) =>
          f.do(anyUse(operation as (...operands: never[]) => Value)),
        )
        expect(WebAssembly.validate(module.build()), `${name}.${instruction}`).toBe(true)
      }
    })

  it('computes with lanes', () => {
    const { module, start, bytes } = withMemory()
    module.export(
      module.define('lanes', [], 'f32', (f) => {
        const a = f.let(f32x4.replace_lane(f32x4.splat(1), 5, 3))
        f.do(v128.store(0, v128.shuffle(a, i32x4.const(-1), [3, 0, 4, 7]), 16))
        f.do(
          v128.store(48, i16x8.const(0x1234)),
          v128.store32_lane(48, a, 3, 4),
          v128.store(64, i64x2.const(-2n)),
        )
        f.do(v128.store(80, i8x16.const(9)), v128.store(96, f64x2.const(0.1)))
        f.set(a, f32x4.sub(a, v128.load32_lane(16, a, 1)))
        return f32.add(f32x4.extract_lane(a, 1), f32x4.extract_lane(a, 2))
      }),
    )
    expect(start().lanes?.()).toBe(1 - 5 + (1 - 1))
    expect([16, 20].map((at) => bytes.getFloat32(at, true))).toEqual([5, 1])
    expect(bytes.getInt32(24, true)).toBe(-1)
    expect([bytes.getUint16(48, true), bytes.getFloat32(52, true), bytes.getFloat64(104, true)]).toEqual([
      0x1234, 5, 0.1,
    ])
  })
})
