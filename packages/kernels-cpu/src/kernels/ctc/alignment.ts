// All ways to read the labels with blanks between them: how likely every state is to be reached, and to lead to the end, step by step in logarithms.
// Graves et al., Connectionist Temporal Classification, 2006, sections 4.1 and 4.2.
import { dtypes } from '@shoal/core'
import type { Code } from '../../lower/representation.ts'
import {
  f32,
  f64,
  type Func,
  i32,
  i64,
  type Local,
  type ModuleBuilder,
  select,
  type Value,
} from '../../wasm/index.ts'
import { type Layout, stateBytes } from './layout.ts'
import { exp, logSumExp } from './logarithm.ts'

type Address = Local<'i32'>

/** Writes the path of blank, label, blank, …: addresses of the labels and of the path, and the number of states. */
export function writePath(
  module: ModuleBuilder,
  { labels, blank }: Layout,
): Func<readonly ['i32', 'i32', 'i32'], 'none'> {
  const wide = labels.dtype === 'int64'
  const labelAt = (f: Code, row: Address, place: Value<'i32'>): Value<'i32'> => {
    if (!wide) return i32.load(i32.add(row, i32.mul(place, 4)))
    const label = f.let(i64.load(i32.add(row, i32.mul(place, 8))))
    // What 32 bits do not hold is no class; its lower half might be one.
    return select(i64.lt_u(label, 2n ** 31n), i32.wrap_i64(label), i32.const(-1))
  }
  return module.define('ctc_path', ['i32', 'i32', 'i32'], 'none', (f, row, path, states) => {
    const before = f.let(i32.const(blank))
    f.forRange(0, i32.add(states, 2), 1, (s) => {
      const at = f.let(i32.add(path, i32.mul(s, stateBytes)))
      const label = f.let(i32.const(blank))
      const jump = f.let(i32.const(0))
      f.if(i32.and(i32.and(s, 1), i32.lt_u(s, states)), () => {
        f.set(label, labelAt(f, row, i32.shr_u(s, 1)))
        // Between two different labels the blank may be left out; before the first label nothing is.
        const different = i32.and(i32.ne(label, blank), i32.ne(label, before))
        f.set(jump, i32.and(different, i32.gt_u(s, 1)))
        f.set(before, label)
      })
      f.do(i32.store(at, label), i32.store(at, jump, 4))
    })
  })
}

/** The logarithm of the probability of a state's label in a step; NaN for a label that is no class. */
function scoreOf(
  f: Code,
  { dtype, classes }: Layout,
  logits: Address,
  norm: Local<'f64'>,
  state: Address,
): Local<'f64'> {
  const label = f.let(i32.load(state))
  const score = f.let(f64.const(Number.NaN))
  f.if(i32.lt_u(label, classes), () => {
    const place = i32.add(logits, i32.mul(label, dtypes[dtype].bytes))
    const logit = dtype === 'float64' ? f64.load(place) : f64.promote_f32(f32.load(place))
    f.set(score, f64.sub(logit, norm))
  })
  return score
}

/** One step of a recursion: addresses of the path, the logits, the norms and the scores of the step, and the number of states. */
type Step<Rest extends readonly ('i32' | 'f64')[]> = Func<
  readonly ['i32', 'i32', 'i32', 'i32', 'i32', ...Rest],
  'none'
>

/** Fills the forward scores of a step from those of the step before; `first` says whether there is none. */
export function writeForward(module: ModuleBuilder, layout: Layout): Step<readonly ['i32']> {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  return module.define('ctc_forward', types, 'none', (f, path, logits, norms, scores, states, first) => {
    const norm = f.let(f64.load(norms))
    f.do(f64.store(scores, -Infinity), f64.store(scores, -Infinity, 8))
    f.forRange(0, states, 1, (s) => {
      const state = f.let(i32.add(path, i32.mul(s, stateBytes)))
      // Two entries before it lie the scores of the two states before.
      const at = f.let(i32.add(scores, i32.mul(s, 8)))
      const reached = f.let(select(i32.lt_u(s, 2), f64.const(0), f64.const(-Infinity)))
      f.if(i32.eqz(first), () => {
        const previous = f.let(i32.sub(at, layout.forwardBytes))
        const jump = select(i32.load(state, 4), f64.load(previous), f64.const(-Infinity))
        f.set(reached, logSumExp(module, f, [f64.load(previous, 16), f64.load(previous, 8), jump]))
      })
      f.do(f64.store(at, f64.add(reached, scoreOf(f, layout, logits, norm, state)), 16))
    })
  })
}

/**
 * Replaces the backward scores of the step after by those of a step, each with the score of its label, and adds to the shares of the classes.
 * Also takes the addresses of the step's forward scores and of the shares, whether the step is the last, and the score of all paths together.
 */
export function writeBackward(
  module: ModuleBuilder,
  layout: Layout,
): Step<readonly ['i32', 'i32', 'i32', 'f64']> {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'f64'] as const
  return module.define(
    'ctc_backward',
    types,
    'none',
    (f, path, logits, norms, scores, states, forward, shares, last, total) => {
      const norm = f.let(f64.load(norms))
      f.forRange(0, states, 1, (s) => {
        const state = f.let(i32.add(path, i32.mul(s, stateBytes)))
        const at = f.let(i32.add(scores, i32.mul(s, 8)))
        const ends = i32.ge_u(i32.add(s, 2), states)
        const leads = f.let(select(ends, f64.const(0), f64.const(-Infinity)))
        f.if(i32.eqz(last), () => {
          const jump = select(i32.load(state, 2 * stateBytes + 4), f64.load(at, 16), f64.const(-Infinity))
          f.set(leads, logSumExp(module, f, [f64.load(at), f64.load(at, 8), jump]))
        })
        const through = f.let(f64.add(f64.load(i32.add(forward, i32.mul(s, 8)), 16), leads))
        const label = f.let(i32.load(state))
        f.if(i32.and(f64.ne(through, -Infinity), i32.lt_u(label, layout.classes)), () => {
          const place = f.let(i32.add(shares, i32.mul(label, 8)))
          f.do(f64.store(place, f64.add(f64.load(place), exp(module, f64.sub(through, total)))))
        })
        f.do(f64.store(at, f64.add(leads, scoreOf(f, layout, logits, norm, state))))
      })
    },
  )
}
