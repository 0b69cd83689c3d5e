// Fork and join in WebAssembly: the calling thread publishes a region's chunks, everyone takes them one by one, and no JavaScript runs in between.
import { idleRound, patience, watchMs, word } from './control.ts'
import {
  atomic,
  call,
  type Func,
  type FunctionBuilder,
  i32,
  type ModuleBuilder,
  select,
} from './wasm/index.ts'

/** The name under which Programs import what they call when threads sleep or fail. */
export const forkModule = 'pool'

/** The functions of one Program. */
export interface ForkJoin {
  /**
   * `fork(end, count, wanted)`: computes chunks [end − count, end) on all threads that are awake, after waking some where fewer than
   * `wanted` are, and returns when the chunks are done.
   */
  readonly fork: Func<readonly ['i32', 'i32', 'i32'], 'none'>
  /**
   * What other threads run: takes chunks until there have been none for a while, and answers −1; or answers a chunk that it took and that
   * belongs to another Program of this memory: the caller has to compute it.
   */
  readonly serve: Func<readonly [], 'i32'>
}

/** What fork and join are written for. */
export interface ForkJoinOptions {
  /** The number of the Program. */
  readonly program: number
  /** May the calling thread sleep? */
  readonly maySleep: boolean
}

const bytes = 4
const at = {
  remaining: word.remaining * bytes,
  end: word.end * bytes,
  program: word.program * bytes,
  pending: word.pending * bytes,
  failed: word.failed * bytes,
  listeners: word.listeners * bytes,
} as const

/** Writes both functions; `work(chunk)` computes one chunk of the Program. */
export function writeForkJoin(
  module: ModuleBuilder,
  work: Func<readonly ['i32'], 'none'>,
  { program, maySleep }: ForkJoinOptions,
): ForkJoin {
  const wake = module.importFunction(forkModule, 'wake', ['i32'], 'none')
  const fail = module.importFunction(forkModule, 'fail', [], 'none')
  const stall = module.importFunction(forkModule, 'stall', [], 'none')
  const fork = module.define('fork', ['i32', 'i32', 'i32'], 'none', (f, end, count, wanted) => {
    // The atomic store publishes the plain ones: whoever takes a chunk has seen it.
    f.do(i32.store(at.program, program), i32.store(at.end, end), i32.store(at.pending, count))
    f.do(atomic.i32_store(at.remaining, count))
    const missing = f.let(i32.sub(wanted, atomic.i32_load(at.listeners)))
    f.if(i32.gt_s(missing, 0), () => f.do(call(wake, missing)))
    const chunk = f.let(i32.sub(end, count))
    takeChunks(f, () => {
      f.do(call(work, chunk))
      f.set(chunk, i32.add(chunk, 1))
      f.do(atomic.i32_sub(at.pending, 1))
    })
    awaitPending(f, maySleep, () => f.do(call(stall)))
    f.if(i32.load(at.failed), () => f.do(call(fail)))
  })
  const serve = module.define('serve', [], 'i32', (f) => {
    f.do(atomic.i32_add(at.listeners, 1))
    const looks = f.local('i32')
    f.loop((again) => {
      f.set(looks, patience)
      f.loop((look) => {
        takeChunks(f, () => {
          const chunk = f.let(i32.sub(atomic.i32_sub(at.end, 1), 1))
          f.if(i32.ne(i32.load(at.program), program), () => {
            f.do(atomic.i32_sub(at.listeners, 1))
            f.return(chunk)
          })
          f.do(call(work, chunk))
          f.if(i32.eq(atomic.i32_sub(at.pending, 1), 1), () => f.do(atomic.notify(at.pending, 1)))
          f.set(looks, patience)
        })
        // While others finish their chunks, the next region is near.
        const cost = select(atomic.i32_load(at.pending), i32.const(1), i32.const(idleRound))
        f.set(looks, i32.sub(looks, cost))
        f.branch(look, i32.gt_s(looks, 0))
      })
      // Whoever forks counts the listeners after it has published: either it sees that this one is gone, or this one sees the chunks.
      f.do(atomic.i32_sub(at.listeners, 1))
      f.if(i32.gt_s(atomic.i32_load(at.remaining), 0), () => {
        f.do(atomic.i32_add(at.listeners, 1))
        f.branch(again)
      })
    })
    return i32.const(-1)
  })
  return { fork, serve }
}

/** Takes chunks while there are any: whoever has taken one computes one. */
function takeChunks(f: FunctionBuilder, compute: () => void): void {
  f.while(i32.gt_s(atomic.i32_load(at.remaining), 0), () => {
    f.if(i32.gt_s(atomic.i32_sub(at.remaining, 1), 0), compute)
  })
}

/** Waits until no chunk is pending. A thread that has ended wakes nobody: whenever nobody did for long, `stall` looks for it. */
function awaitPending(f: FunctionBuilder, maySleep: boolean, stall: () => void): void {
  const looks = f.let(i32.const(patience))
  const pending = f.local('i32')
  f.while(f.tee(pending, atomic.i32_load(at.pending)), () => {
    if (!maySleep) return
    f.if(
      looks,
      () => f.set(looks, i32.sub(looks, 1)),
      () => {
        const outcome = atomic.wait32(at.pending, pending, BigInt(watchMs) * 1_000_000n)
        f.if(i32.eq(outcome, timedOut), stall)
      },
    )
  })
}

/** What waiting answers when nobody has woken the thread in time. */
const timedOut = 2
