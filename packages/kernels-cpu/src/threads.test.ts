import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import workerThreads, { Worker } from 'node:worker_threads'
import { placeholder, Session, sum } from '@shoal/core'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { word } from './control.ts'
import { cpu } from './cpu.ts'
import { writeForkJoin } from './forkJoin.ts'
import { instantiate } from './instance.ts'
import { Heap } from './memory.ts'
import { Pool } from './pool.ts'
import { Threads } from './threads.ts'
import { atomic, call, f32, i32, ModuleBuilder } from './wasm/index.ts'

const pages = 16
/** Addresses that chunks add up to: of regions 0 and 1, and of those who wait for each other. */
const at = { sums: [512, 516], together: 520, begun: 576 } as const

const emptyModule = (): ModuleBuilder => {
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: pages, shared: true })
  return module
}

const failing = (): never => {
  throw new Error('not here')
}

/**
 * Chunks 0 to 99 add their numbers up at one address, 100 to 199 at another. Chunks 200 to 299 fail on all threads but the one that forks,
 * 300 to 399 only on that one. Chunks 400 to 402 wait until all of them have begun, and trap after five seconds. Chunk 501 never ends, and chunk
 * 500 calls `begun` once that has begun.
 */
async function counting(
  threads: Threads,
  heap: Heap,
  begun = (): void => {},
): Promise<(end: number, count: number) => void> {
  const module = emptyModule()
  const program = threads.nextProgram()
  const here = module.importFunction('test', 'here', [], 'none')
  const started = module.importFunction('test', 'begun', [], 'none')
  const sine = module.importFunction('math', 'sin', ['f64'], 'f64')
  const work = module.define('work', ['i32'], 'none', (f, chunk) => {
    const group = f.let(i32.div_u(chunk, 100))
    f.if(i32.lt_u(group, 2), () => f.do(atomic.i32_add(i32.add(512, i32.mul(group, 4)), chunk)))
    f.if(i32.eq(group, 2), () => f.do(call(here)))
    f.if(i32.eq(group, 3), () => f.do(call(sine, 0)))
    f.if(i32.eq(group, 4), () => {
      f.do(atomic.i32_add(at.together, 1), atomic.i32_add(at.begun, 1), atomic.notify(at.begun, 4))
      f.while(i32.lt_s(atomic.i32_load(at.begun), 3), () => {
        const seen = f.let(atomic.i32_load(at.begun))
        f.if(i32.eq(atomic.wait32(at.begun, seen, 5_000_000_000n), 2), () => f.unreachable())
      })
    })
    f.if(i32.eq(chunk, 501), () => {
      f.do(atomic.i32_add(at.begun, 1), atomic.notify(at.begun, 1))
      f.loop((again) => {
        f.do(atomic.wait32(at.together, 0, -1n))
        f.branch(again)
      })
    })
    f.if(i32.eq(chunk, 500), () => {
      f.if(i32.eq(atomic.wait32(at.begun, 0, 5_000_000_000n), 2), () => f.unreachable())
      f.do(call(started))
    })
  })
  const { fork, serve } = writeForkJoin(module, work, { program, maySleep: true })
  for (const func of [work, serve, fork]) module.export(func)
  const compiled = module.compile()
  const imports = { pool: threads.imports(program), test: { here: () => {}, begun }, math: { sin: failing } }
  const exports = instantiate(compiled, heap.memory, imports) as unknown as {
    fork(end: number, count: number, wanted: number): void
  }
  threads.load(program, compiled, exports)
  await threads.whenReady()
  return (end, count) => {
    try {
      exports.fork(end, count, threads.helpers)
    } catch (error) {
      threads.recover()
      throw error
    }
  }
}

describe('Threads', () => {
  const heap = new Heap(pages * 65536, true)
  const threads = new Threads(3, heap.memory)
  const words = new Int32Array(heap.memory.buffer)
  const sums = () => at.sums.map((address) => words[address / 4])
  const clear = () => words.fill(0, 128, 256)
  afterAll(() => threads.dispose())

  it('compute every chunk once, region after region', async () => {
    const fork = await counting(threads, heap)
    clear()
    for (let round = 0; round < 200; round++) fork(round % 2 === 0 ? 50 : 200, 50)
    expect(sums()).toEqual([100 * 1225, 100 * (1225 + 50 * 150)])
  })

  it('compute chunks at the same time, on the calling thread too', async () => {
    const fork = await counting(threads, heap)
    clear()
    fork(403, 3)
    expect(words[at.together / 4]).toBe(3)
  })

  it('take turns between Programs of one memory, and of several', async () => {
    const [first, second] = [await counting(threads, heap), await counting(threads, heap)]
    const otherHeap = new Heap(pages * 65536, true)
    const others = new Threads(3, otherHeap.memory)
    const third = await counting(others, otherHeap)
    clear()
    for (let round = 0; round < 300; round++) {
      first(10, 10)
      second(110, 10)
      third(10, 10)
    }
    await others.dispose()
    first(10, 10)
    expect(sums()).toEqual([301 * 45, 300 * (45 + 10 * 100)])
    expect(new Int32Array(otherHeap.memory.buffer)[128]).toBe(300 * 45)
  })

  it('say so when a chunk fails, here or there, and go on', async () => {
    const fork = await counting(threads, heap)
    clear()
    // Whichever thread it is may come too late for a share, but not every time.
    const often = (end: number) => () => {
      for (let round = 0; round < 100_000; round++) fork(end, 100)
    }
    expect(often(300)).toThrow('another thread')
    expect(often(400)).toThrow('not here')
    fork(10, 10)
    expect(sums()).toEqual([45, 0])
  })

  describe('that are killed', () => {
    const killable: Worker[] = []
    const module = workerThreads as { Worker: typeof Worker }
    beforeEach(() => {
      killable.length = 0
      module.Worker = class extends Worker {
        constructor(...given: ConstructorParameters<typeof Worker>) {
          super(...given)
          killable.push(this)
        }
      }
    })
    afterEach(() => {
      module.Worker = Worker
    })

    /** A memory and threads of its own, all but the calling one of which are terminated when chunk 500 is computed. */
    async function team(whenKilled = (): void => {}) {
      const own = new Heap(pages * 65536, true)
      const team = new Threads(2, own.memory)
      const fork = await counting(team, own, () => {
        killable.forEach((worker) => void worker.terminate())
        whenKilled()
      })
      return { team, fork, control: new Int32Array(own.memory.buffer) }
    }

    it('within a chunk are found out by the thread that waits for it', async () => {
      const { team: killed, fork, control } = await team()
      expect(() => fork(502, 2)).toThrow(
        expect.objectContaining({ name: 'InternalError', message: expect.stringContaining('ended while') }),
      )
      expect([killable.length, control[word.pending]]).toEqual([1, 0])
      expect(killed.have(0)).toBe(false)
      await killed.dispose()
    })

    it('within a chunk are found out when another chunk has failed here', async () => {
      const { team: killed, fork, control } = await team(failing)
      expect(() => fork(502, 2)).toThrow('not here')
      expect([killable.length, control[word.pending]]).toEqual([1, 0])
      expect(killed.have(0)).toBe(false)
      await killed.dispose()
    })

    it('leave the calling thread to compute alone', async () => {
      const device = cpu({ threads: 2 })
      await using session = new Session({ devices: [device] })
      const x = placeholder({ shape: [100_000], name: 'x' })
      const run = () => session.runSync(sum(x), { x: new Float32Array(100_000).fill(0.5) }).item()
      expect(run()).toBe(50_000)
      await device.ready()
      expect(run()).toBe(50_000)
      await Promise.all(killable.map((worker) => worker.terminate()))
      expect(run()).toBe(50_000)
      await expect(device.ready()).rejects.toThrow('ended: it exited with code 1')
    })
  })

  it('are the same for devices that ask for as many, until the last one leaves', async () => {
    const [first, second, other] = [Pool.enter(5), Pool.enter(5), Pool.enter(6)]
    expect([second === first, other === first]).toEqual([true, false])
    await first.leave()
    expect(Pool.enter(5)).toBe(second)
    await Promise.all([second.leave(), second.leave(), other.leave()])
    const next = Pool.enter(5)
    expect(next).not.toBe(first)
    expect(first.has(0)).toBe(false)
    await expect(first.whenLoaded(0)).rejects.toThrow('disposed')
    await next.leave()
  })

  it('are not there for Programs that they cannot have, nor after disposal', async () => {
    // A number of their own, so that the others' pool stays whole.
    const broken = new Threads(4, heap.memory)
    const module = new ModuleBuilder()
    module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 1, shared: true })
    module.export(module.define('work', [], 'f32', () => f32.const(1)))
    const program = broken.nextProgram()
    broken.load(program, module.compile(), {})
    await expect(broken.whenReady()).rejects.toThrow('could not load')
    expect(broken.have(program)).toBe(false)
    await broken.dispose()
    expect(broken.have(program)).toBe(false)
  })

  it('say where their code was looked for in vain', async () => {
    const lost = new Threads(2, heap.memory, new URL('./nothing.js', import.meta.url))
    const program = lost.nextProgram()
    lost.load(program, emptyModule().compile(), {})
    await expect(lost.whenReady()).rejects.toThrow('nothing.js')
    await lost.dispose()
  })

  it('are done without where their code is missing, or something else', async () => {
    const something = new URL('data:text/javascript,export const answer = 42')
    for (const worker of [new URL('./nothing.js', import.meta.url), something]) {
      const device = cpu({ threads: 2, worker })
      await using session = new Session({ devices: [device] })
      const x = placeholder({ shape: [100_000], name: 'x' })
      const run = () => session.runSync(sum(x), { x: new Float32Array(100_000).fill(0.5) }).item()
      expect(run()).toBe(50_000)
      await expect(device.ready()).rejects.toThrow('the option `worker`')
      expect(run()).toBe(50_000)
    }
  })

  it('refuse a URL that nothing can be started from', async () => {
    await using session = new Session({
      devices: [cpu({ threads: 2, worker: new URL('https://example.org/worker.js') })],
    })
    const x = placeholder({ shape: [100_000], name: 'x' })
    await expect(session.run(sum(x), { x: new Float32Array(100_000) })).rejects.toThrow(
      expect.objectContaining({ name: 'ValueError', message: expect.stringContaining('worker: ') }),
    )
  })

  it('keep no process alive, whether they are waited for or not, unless they are being ended', () => {
    const end = 'await device[Symbol.asyncDispose]()'
    for (const wait of ['', 'await device.ready()', `step(); step = () => {}; ${end}`]) {
      const source = `
      import { cpu } from '${new URL('./index.ts', import.meta.url)}'
      import { E, simpleKernel } from '@shoal/core'
      const length = 1e6
      const device = cpu({ threads: 2 })
      const buffers = [device.alloc(4 * length), device.alloc(4 * length)]
      const body = E.exp(E.load(0, E.axis(0), 'float32'))
      const type = { dtype: 'float32', length }
      const kernel = await device.fuse(simpleKernel({ name: 'exp', inputs: [type], output: type, axes: [length], reduced: 0, body }))
      let step = await device.sequence([{ kernel, args: buffers }])
      ${wait}
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
    }
  })
})
