import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { instantiate } from './instance.ts'
import { Heap } from './memory.ts'
import { Pool } from './pool.ts'
import { atomic, f32, i32, ModuleBuilder } from './wasm/index.ts'

const pages = 16

/**
 * A module whose regions add chunk numbers up at an address: region 0 at 512, region 1 at 516. Region 2 traps.
 * In region 3 each chunk waits for two others to begin, and traps after five seconds.
 */
function counting(): WebAssembly.Module {
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: pages, shared: true })
  module.export(
    module.define('work', ['i32', 'i32'], 'none', (f, region, chunk) => {
      f.if(i32.eq(region, 2), () => f.unreachable())
      f.do(atomic.i32_add(i32.add(512, i32.mul(region, 4)), chunk))
      f.if(i32.eq(region, 3), () => {
        f.do(atomic.i32_add(576, 1), atomic.notify(576, 4))
        f.while(i32.lt_s(atomic.i32_load(576), 3), () => {
          f.if(i32.eq(atomic.wait32(576, atomic.i32_load(576), 5_000_000_000n), 2), () => f.unreachable())
        })
      })
    }),
  )
  return module.compile()
}

describe('Pool', () => {
  const heap = new Heap(pages * 65536, true)
  const pool = new Pool(3, heap.memory)
  const words = new Int32Array(heap.memory.buffer)
  const work = (module: WebAssembly.Module) =>
    instantiate(module, heap.memory)['work'] as (region: number, chunk: number) => void
  afterAll(() => pool.dispose())

  it('computes every chunk once, region after region', async () => {
    const module = counting()
    const program = await pool.load(module)
    const alone = work(module)
    for (let round = 0; round < 200; round++) pool.fork(program, round % 2, 50, alone)
    expect([words[128], words[129]]).toEqual([100 * 1225, 100 * 1225])
  })

  it('computes chunks at the same time, on the calling thread too', async () => {
    const module = counting()
    const program = await pool.load(module)
    pool.fork(program, 3, 3, work(module))
    expect([words[131], words[144]]).toEqual([3, 3])
  })

  it('says so when a chunk fails, and goes on', async () => {
    const module = counting()
    const program = await pool.load(module)
    const alone = work(module)
    expect(() => pool.fork(program, 2, 4, alone)).toThrow('region 2')
    words[128] = 0
    pool.fork(program, 0, 10, alone)
    expect(words[128]).toBe(45)
  })

  it('refuses a Program that its threads cannot have, and any after it was closed', async () => {
    const module = new ModuleBuilder()
    module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 1, shared: true })
    module.export(module.define('work', [], 'f32', () => f32.const(1)))
    await expect(pool.load(module.compile())).rejects.toThrow('could not load')
    const closed = new Pool(2, heap.memory)
    await closed.dispose()
    await expect(closed.load(counting())).rejects.toThrow('disposed')
  })

  it('keeps no process alive', () => {
    const source = `
      import { cpu } from '${new URL('./index.ts', import.meta.url)}'
      import { E } from '@shoal/core'
      const length = 1e6
      const device = cpu({ threads: 2 })
      const buffers = [device.alloc(4 * length), device.alloc(4 * length)]
      const body = E.exp(E.load(0, E.axis(0), 'float32'))
      const type = { dtype: 'float32', length }
      const kernel = await device.fuse({ name: 'exp', inputs: [type], output: type, axes: [length], reduced: 0, body })
      const step = await device.sequence([{ kernel, args: buffers }])
      step()
      console.log(new Float32Array(device.read(buffers[1]).buffer)[length - 1])`
    const options = {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      timeout: 20_000,
      encoding: 'utf8' as const,
    }
    const answer = execFileSync(
      process.execPath,
      ['--conditions=@shoal/source', '--input-type=module', '-e', source],
      options,
    )
    expect(answer.trim()).toBe('1')
  })
})
