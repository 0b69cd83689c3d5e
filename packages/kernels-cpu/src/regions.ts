// How a level of a Program is shared by threads: cut into chunks of about equal work, of which they take from both ends.
import type { ForkJoin } from './forkJoin.ts'
import type { Place } from './places.ts'
import { chunksOf, chunkWork, type Stage } from './stage.ts'
import {
  call,
  type Func,
  i32,
  type FunctionBuilder,
  type ModuleBuilder,
  type Operand,
  select,
} from './wasm/index.ts'

/** Something that a Program does in one go: a stage of a kernel over its memory, or a function of the host. */
export type Task =
  | { readonly kind: 'stage'; readonly stage: Stage; readonly places: readonly Place[] }
  | { readonly kind: 'host'; readonly func: Func<readonly [], 'none'> }
type StageTask = Extract<Task, { kind: 'stage' }>

/** Chunks of one region: of a stage that is cut, or one chunk of several small stages. */
type Part =
  | { readonly kind: 'cut'; readonly task: StageTask; readonly grain: number; readonly count: number }
  | { readonly kind: 'bundle'; readonly tasks: readonly StageTask[]; readonly count: 1 }

/** A level that threads share. */
export interface Region {
  /** Chunks of the Program up to the end of this region. */
  readonly end: number
  readonly count: number
  /** Threads that are worth waking for it. */
  readonly wanted: number
}

/** Less work than this is done sooner than another thread joins in that is awake. */
const worthSharing = 16_384
/** Less work than this is done sooner than another thread wakes up. */
const worthWaking = 65_536
/** Chunks that a large stage has at least, so that threads finish together, as long as each has so much work. */
const fewestChunks = 8
const leastChunkWork = 4096

const workOf = ({ stage }: StageTask): number => stage.units * stage.work

/** The regions of a Program; they count their chunks on. */
export class Regions {
  readonly #parts: { readonly part: Part; readonly first: number }[] = []
  readonly #helpers: number
  #chunks = 0

  /** @param helpers threads besides the calling one. */
  constructor(helpers: number) {
    this.#helpers = helpers
  }

  /** Makes a region of the stages of a level if they are worth it. */
  share(level: readonly Task[]): Region | undefined {
    const tasks = level.filter((task) => task.kind === 'stage')
    const work = tasks.reduce((sum, task) => sum + workOf(task), 0)
    if (work < worthSharing) return undefined
    const parts = partsOf(tasks)
    const count = parts.reduce((sum, part) => sum + part.count, 0)
    if (count === 1) return undefined
    for (const part of parts) {
      this.#parts.push({ part, first: this.#chunks })
      this.#chunks += part.count
    }
    return { end: this.#chunks, count, wanted: work < worthWaking ? 0 : Math.min(count - 1, this.#helpers) }
  }

  /** Writes `work(chunk)`: finds the part by halving, as there may be many. Undefined when nothing is shared. */
  write(module: ModuleBuilder): Func<readonly ['i32'], 'none'> | undefined {
    if (this.#parts.length === 0) return undefined
    return module.define('work', ['i32'], 'none', (f, chunk) => {
      const find = (low: number, high: number): void => {
        if (high - low === 1) {
          const { part, first } = this.#parts[low]!
          if (part.kind === 'bundle') return part.tasks.forEach((task) => computeAlone(f, task))
          const begin = f.let(i32.mul(i32.sub(chunk, first), part.grain))
          return f.do(callRange(part.task, begin, part.grain))
        }
        const middle = (low + high) >>> 1
        f.if(
          i32.lt_u(chunk, this.#parts[middle]!.first),
          () => find(low, middle),
          () => find(middle, high),
        )
      }
      find(0, this.#parts.length)
    })
  }
}

/** Writes a level on all threads: the host's functions belong to the calling one. */
export function computeShared(
  f: FunctionBuilder<'none'>,
  level: readonly Task[],
  { end, count, wanted }: Region,
  fork: ForkJoin['fork'],
): void {
  for (const task of level) if (task.kind === 'host') computeAlone(f, task)
  f.do(call(fork, end, count, wanted))
}

/** Long chunks at both ends, since threads take from both: what is taken last should not be what the others wait for. */
function partsOf(tasks: readonly StageTask[]): Part[] {
  const cut: { readonly part: Part; readonly work: number }[] = []
  const small: StageTask[] = []
  for (const task of tasks) {
    const { units, work } = task.stage
    const finest = Math.max(Math.ceil(leastChunkWork / Math.max(1, work)), Math.ceil(units / fewestChunks))
    const grain = Math.min(chunksOf(task.stage).grain, finest)
    const count = Math.ceil(units / grain)
    if (count <= 1) small.push(task)
    else cut.push({ part: { kind: 'cut', task, grain, count }, work: grain * work })
  }
  const parts = [...cut.sort((a, b) => b.work - a.work).map(({ part }) => part), ...bundlesOf(small)]
  return [...parts.filter((_, i) => i % 2 === 0), ...parts.filter((_, i) => i % 2 === 1).reverse()]
}

/** Small stages together, until they are worth a chunk. */
function bundlesOf(tasks: readonly StageTask[]): Part[] {
  const bundles: StageTask[][] = []
  let room = 0
  for (const task of tasks) {
    if (room <= 0) {
      bundles.push([])
      room = chunkWork
    }
    bundles.at(-1)!.push(task)
    room -= workOf(task)
  }
  return bundles.map((bundle) => ({ kind: 'bundle', tasks: bundle, count: 1 }))
}

/** Writes a task for one thread. */
export function computeAlone(f: FunctionBuilder<'none'>, task: Task): void {
  if (task.kind === 'host') return f.do(call(task.func))
  const { stage, places } = task
  const { grain, count } = chunksOf(stage)
  if (count === 0) return
  if (count === 1) return f.do(call(stage.func, ...places.map((place) => place.address()), 0, stage.units))
  // Functions that are called often are optimised soon; a single long call would stay slow.
  f.forRange(0, stage.units, grain, (begin) => f.do(callRange(task, begin, grain)))
}

function callRange({ stage, places }: StageTask, begin: Operand<'i32'>, grain: number) {
  const beyond = i32.add(begin, grain)
  const end = select(i32.lt_u(beyond, stage.units), beyond, i32.const(stage.units))
  return call(stage.func, ...places.map((place) => place.address()), begin, end)
}
