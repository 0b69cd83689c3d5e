// A Program's code: one module with every kernel of its launches and one function that calls them in order, with all addresses baked in.
import type { BoundLaunch, Kernel } from '@shoal/core'
import { type CpuBuffer, ownBuffer } from './buffer.ts'
import { hostFunctions, instantiate } from './instance.ts'
import type { Heap } from './memory.ts'
import { forkModule, type Pool } from './pool.ts'
import { chunksOf, type KernelCode, type Stage } from './stage.ts'
import {
  call,
  type Func,
  type FunctionBuilder,
  i32,
  ModuleBuilder,
  type Operand,
  select,
} from './wasm/index.ts'

/** A kernel of this device: its code, and a launch that compiles it alone when it is first used alone. */
export interface CpuKernel extends Kernel {
  readonly code: KernelCode
}

/** Makes a kernel of code. Nothing is compiled before it is launched or sequenced. */
export function kernelOf(code: KernelCode, heap: Heap, workspaceBytes = 0): CpuKernel {
  let alone: ((args: readonly CpuBuffer[]) => void) | undefined
  return {
    code,
    workspaceBytes,
    launch: (args) => {
      alone ??= code.kind === 'host' ? code.run : compileAlone(code.write, heap)
      alone(args.map((buffer) => ownBuffer(buffer, heap)))
    },
  }
}

/** A module with one kernel, which takes its addresses as they come. */
function compileAlone(
  write: (module: ModuleBuilder) => readonly Stage[],
  heap: Heap,
): (args: readonly CpuBuffer[]) => void {
  const module = moduleOver(heap)
  const stages = write(module).map((stage, i) => {
    module.export(stage.func, `stage${i}`)
    return { ...chunksOf(stage), units: stage.units, name: `stage${i}` }
  })
  const exports = instantiate(module.compile(), heap.memory)
  const runs = stages.map((stage) => ({
    ...stage,
    run: exports[stage.name] as (...numbers: number[]) => void,
  }))
  return (args) => {
    const addresses = args.map((buffer) => buffer.address)
    for (const { run, grain, units } of runs)
      for (let begin = 0; begin < units; begin += grain)
        run(...addresses, begin, Math.min(begin + grain, units))
  }
}

function moduleOver(heap: Heap): ModuleBuilder {
  const module = new ModuleBuilder()
  module.importMemory({
    module: 'env',
    name: 'memory',
    initial: 1,
    maximum: heap.maxBytes / 65536,
    shared: heap.shared,
  })
  return module
}

/** A stage that threads share: its function with its addresses, and how it is cut. */
interface Region {
  readonly stage: Stage
  readonly addresses: readonly number[]
  readonly grain: number
}

/** Less work than this is done sooner than another thread is woken. */
const worthSharing = 100_000

/** Compiles launches into one function. With threads, the answer comes when all of them have the module. */
export function compileProgram(
  launches: readonly BoundLaunch[],
  heap: Heap,
  pool: Pool | undefined,
): (() => void) | Promise<() => void> {
  const module = moduleOver(heap)
  const regions: Region[] = []
  const hosts: (() => void)[] = []
  const step = module.define('step', ['i32'], 'none', (f, shared) => {
    for (const { kernel, args } of launches) {
      const code = (kernel as Partial<CpuKernel>).code
      if (code?.kind === 'wasm') {
        const addresses = args.map((buffer) => ownBuffer(buffer, heap).address)
        for (const stage of code.write(module))
          writeStage(module, f, stage, addresses, pool ? regions : undefined, shared)
        continue
      }
      // The launch itself checks its buffers.
      const host = module.importFunction(
        hostFunctions,
        `${hosts.push(() => kernel.launch(args)) - 1}`,
        [],
        'none',
      )
      f.do(call(host))
    }
  })
  module.export(step)
  if (regions.length > 0) module.export(writeWork(module, regions))
  const compiled = module.compile()
  const start = (fork?: (region: number, chunks: number) => void) =>
    instantiate(compiled, heap.memory, {
      [hostFunctions]: Object.fromEntries(hosts.map((run, i) => [`${i}`, run])),
      ...(fork && { [forkModule]: { fork } }),
    }) as { step(shared: number): void; work(region: number, chunk: number): void }
  if (!pool || regions.length === 0) {
    const { step: run } = start()
    return () => run(0)
  }
  return pool.load(compiled).then((program) => {
    const exports = start((region, chunks) => pool.fork(program, region, chunks, exports.work))
    const run = () => exports.step(pool.closed ? 0 : 1)
    pool.forgetWith(run, program)
    return run
  })
}

function writeStage(
  module: ModuleBuilder,
  f: FunctionBuilder<'none'>,
  stage: Stage,
  addresses: readonly number[],
  regions: Region[] | undefined,
  shared: Operand<'i32'>,
): void {
  const { grain, count } = chunksOf(stage)
  if (stage.units === 0) return
  // Functions that are called often are optimised soon; a single long call would stay slow.
  const alone = () =>
    count === 1
      ? f.do(call(stage.func, ...addresses, 0, stage.units))
      : f.forRange(0, stage.units, grain, (begin) => f.do(callRange(stage, addresses, begin, grain)))
  if (!regions || count === 1 || stage.units * stage.work < worthSharing) return alone()
  const region = regions.push({ stage, addresses, grain }) - 1
  const fork = module.importFunction(forkModule, 'fork', ['i32', 'i32'], 'none')
  f.if(shared, () => f.do(call(fork, region, count)), alone)
}

function callRange(stage: Stage, addresses: readonly number[], begin: Operand<'i32'>, grain: number) {
  const beyond = i32.add(begin, grain)
  const end = select(i32.lt_u(beyond, stage.units), beyond, i32.const(stage.units))
  return call(stage.func, ...addresses, begin, end)
}

/** `work(region, chunk)`: finds the region by halving, as there may be many. */
function writeWork(module: ModuleBuilder, regions: readonly Region[]): Func {
  return module.define('work', ['i32', 'i32'], 'none', (f, region, chunk) => {
    const find = (low: number, high: number): void => {
      if (high - low === 1) {
        const { stage, addresses, grain } = regions[low]!
        const begin = f.let(i32.mul(chunk, grain))
        return f.do(callRange(stage, addresses, begin, grain))
      }
      const middle = (low + high) >>> 1
      f.if(
        i32.lt_u(region, middle),
        () => find(low, middle),
        () => find(middle, high),
      )
    }
    find(0, regions.length)
  })
}
