// A Program's code: one module with every kernel of its launches and one function that calls them, with all addresses baked in.
import type { Awaitable, Kernel, LoopLaunch } from '@shoal/core'
import { type CpuBuffer, ownBuffer } from './buffer.ts'
import { forkModule, writeForkJoin } from './forkJoin.ts'
import { compileModule, hostFunctions, instantiate } from './instance.ts'
import { type Bound, levelsOf } from './levels.ts'
import { scalarImports, scalarModule } from './lower/imported.ts'
import { mathImports } from './math/index.ts'
import type { Heap } from './memory.ts'
import { placeOf, roundAddress } from './places.ts'
import { computeAlone, computeShared, Regions, type Task } from './regions.ts'
import { chunksOf, type KernelCode, type WriteStages } from './stage.ts'
import type { Threads } from './threads.ts'
import { i32, ModuleBuilder } from './wasm/index.ts'

/** A kernel of this device: its code, and a launch that compiles it alone when it is first used alone. */
export interface CpuKernel extends Kernel {
  readonly code: KernelCode
  /** So many of its first arguments are only read; it writes the others. */
  readonly reads: number
}

/** Makes a kernel of code. Nothing is compiled before it is launched or sequenced. */
export function kernelOf(code: KernelCode, heap: Heap, reads: number, workspaceBytes = 0): CpuKernel {
  let alone: ((args: readonly CpuBuffer[]) => void) | undefined
  return {
    code,
    reads,
    workspaceBytes,
    schedule: () => scheduleOf(code, heap),
    launch: (args) => {
      alone ??= runAlone(code, heap)
      alone(args.map((buffer) => ownBuffer(buffer, heap)))
    },
  }
}

/** The stages of a kernel, and how they are cut. */
function scheduleOf(code: KernelCode, heap: Heap): string {
  const stages = (code.kind === 'wasm' ? code.write : code.after)?.(moduleOver(heap)) ?? []
  const lines = stages.map((stage) => {
    const { count } = chunksOf(stage)
    return `${stage.func.name}: ${counted(stage.units, 'unit')} in ${counted(count, 'chunk')}`
  })
  return (code.kind === 'host' ? [`${code.name}, a function of the host`, ...lines] : lines).join(', then ')
}

const counted = (count: number, what: string): string => `${count} ${count === 1 ? what : `${what}s`}`

function runAlone(code: KernelCode, heap: Heap): (args: readonly CpuBuffer[]) => void {
  if (code.kind === 'wasm') return compileAlone(code.write, heap)
  if (!code.after) return code.run
  const after = compileAlone(code.after, heap)
  return (args) => {
    code.run(args)
    after(args)
  }
}

/** A module with one kernel, which takes its addresses as they come. */
function compileAlone(write: WriteStages, heap: Heap): (args: readonly CpuBuffer[]) => void {
  const module = moduleOver(heap)
  const stages = write(module).map((stage, i) => {
    module.export(stage.func, `stage${i}`)
    return { ...chunksOf(stage), units: stage.units, name: `stage${i}` }
  })
  const compiled = module.compile()
  const exports = instantiate(compiled, heap.memory, importsOf(compiled))
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

/** What every module of this thread may import besides its memory. */
const importsOf = (module: WebAssembly.Module): Record<string, WebAssembly.ModuleImports> => ({
  math: { ...mathImports },
  [scalarModule]: scalarImports(module),
})

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

/**
 * Compiles launches into one function. With threads, kernels that do not depend on each other run side by side; until all threads have
 * the code, the calling one computes alone, with the same answers. The function takes the round for memory that moves, 0 by default.
 */
export function compileProgram(
  launches: readonly LoopLaunch[],
  heap: Heap,
  threads: Threads | undefined,
): Awaitable<Run> {
  const program = new Writer(heap)
  const bound = launches.map((launch) => program.bind(launch))
  return (threads && program.compileShared(bound, threads)) ?? program.compile(bound)
}

type Run = (round?: number) => void

/** Writes and compiles one Program. */
class Writer {
  readonly #heap: Heap
  readonly #module: ModuleBuilder
  readonly #hosts: Record<string, () => void> = {}
  /** The round that runs, for functions of the host. */
  #round = 0

  constructor(heap: Heap) {
    this.#heap = heap
    this.#module = moduleOver(heap)
  }

  /** Writes what a launch calls. */
  bind({ kernel, args }: LoopLaunch): Bound<Task> {
    const { code, reads = 0 } = kernel as Partial<CpuKernel>
    const places = args.map((arg) => placeOf(arg, this.#heap))
    const blocks = places.map(({ block }) => block)
    const memory = { reads: blocks.slice(0, reads), writes: blocks.slice(reads) }
    const stages = (write?: WriteStages): Task[] =>
      (write?.(this.#module) ?? [])
        .filter(({ units }) => units > 0)
        .map((stage) => ({ kind: 'stage', stage, places }))
    if (code?.kind === 'wasm') return { ...memory, tasks: stages(code.write) }
    const name = `${Object.keys(this.#hosts).length}`
    const here = (): CpuBuffer[] => places.map((place) => place.at(this.#round))
    this.#hosts[name] = code ? () => code.run(here()) : () => kernel.launch(here())
    const func = this.#module.importFunction(hostFunctions, name, [], 'none')
    return { ...memory, tasks: [{ kind: 'host', func }, ...stages(code?.after)] }
  }

  /** One task after the other. */
  compile(bound: readonly Bound<Task>[]): Awaitable<Run> {
    const step = this.#module.define('step', ['i32'], 'none', (f, round) => {
      f.do(i32.store(roundAddress, round))
      for (const { tasks } of bound) for (const task of tasks) computeAlone(f, task)
    })
    this.#module.export(step)
    return this.#instantiated({}, (exports) => exports['step'] as (round: number) => void)
  }

  /** Level by level; undefined when nothing in it is worth sharing. */
  compileShared(bound: readonly Bound<Task>[], threads: Threads): Awaitable<Run> | undefined {
    const module = this.#module
    const { helpers, maySleep } = threads
    const regions = new Regions(helpers)
    const levels = levelsOf(bound).map((tasks) => ({ tasks, region: regions.share(tasks) }))
    const work = regions.write(module)
    if (!work) return undefined
    const program = threads.nextProgram()
    const { fork, serve } = writeForkJoin(module, work, { program, maySleep })
    const step = module.define('step', ['i32', 'i32'], 'none', (f, shared, round) => {
      f.do(i32.store(roundAddress, round))
      for (const { tasks, region } of levels) {
        const alone = (): void => tasks.forEach((task) => computeAlone(f, task))
        if (!region) alone()
        else f.if(shared, () => computeShared(f, tasks, region, fork), alone)
      }
    })
    for (const func of [work, serve, step]) module.export(func)
    return this.#instantiated({ [forkModule]: threads.imports(program) }, (exports, compiled) => {
      const { step: run } = exports as unknown as { step(shared: number, round: number): void }
      const inTeam = (round: number): void => {
        if (!threads.have(program)) return run(0, round)
        try {
          run(1, round)
        } catch (error) {
          threads.recover()
          throw error
        }
      }
      threads.load(program, compiled, inTeam)
      return inTeam
    })
  }

  #instantiated(
    given: Readonly<Record<string, WebAssembly.ModuleImports>>,
    use: (exports: WebAssembly.Exports, module: WebAssembly.Module) => (round: number) => void,
  ): Awaitable<Run> {
    const ready = (module: WebAssembly.Module): Run => {
      const imports = { ...importsOf(module), [hostFunctions]: this.#hosts, ...given }
      const run = use(instantiate(module, this.#heap.memory, imports), module)
      return (round = 0) => run((this.#round = round))
    }
    const compiled = compileModule(this.#module.build())
    return compiled instanceof Promise ? compiled.then(ready) : ready(compiled)
  }
}
