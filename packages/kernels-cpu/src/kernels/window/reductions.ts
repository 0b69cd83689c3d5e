// What sweeps compute: the greatest, the mean, sums with weights or without, and where the greatest was.
import type { Element } from '../../gemm/element.ts'
import { type FunctionBuilder, i32x4, type Local, v128, type Value } from '../../wasm/index.ts'
import type { Arithmetic } from './arithmetic.ts'

type Code = FunctionBuilder<'none'>
type Vector = Local<'v128'>

/** What the code of a reduction has at hand. */
export interface Scene {
  readonly f: Code
  readonly element: Element
  readonly arithmetic: Arithmetic
}

/** What is computed for every target and vector of channels. */
export interface Reduction {
  /** Equal names make equal code. */
  readonly name: string
  /** Operands of the form of the sources. */
  readonly sources: number
  /** What comes with a tap: its weights [taps, channels], its number in all lanes, or nothing. */
  readonly tap: 'weights' | 'number' | 'none'
  /** Is there an operand of the form of the targets? */
  readonly given: boolean
  /** Is `count` asked for: the number of sources that a target met? */
  readonly counts: boolean
  /** Vectors that are kept for each target. */
  readonly registers: number
  /** Their first values. `firstTap` is that of the first meeting; it has meaning where taps have numbers. */
  start(scene: Scene, firstTap: Value<'v128'>): Vector[]
  meet(scene: Scene, state: readonly Vector[], sources: readonly Vector[], tap: Vector | undefined): void
  finish(
    scene: Scene,
    state: readonly Vector[],
    given: Vector | undefined,
    count: Vector | undefined,
  ): Value<'v128'>
}

const zeros = (f: Code): Vector => f.let(f.constant(i32x4.const(0)))

const atLeastOne = ({ f, arithmetic }: Scene, count: Vector): Value<'v128'> =>
  arithmetic.pmax(count, f.constant(arithmetic.const(1)))

const plain = { sources: 1, tap: 'none', given: false, counts: false, registers: 1 } as const

/** The greatest source; NaN where there is one, -Infinity where there is no source. */
export const greatest: Reduction = {
  ...plain,
  name: 'greatest',
  start: ({ f, arithmetic }) => [f.let(f.constant(arithmetic.const(-Infinity)))],
  // Each side answers its first operand where one is NaN: bits of both make a number of equal numbers, and a NaN of a NaN and anything.
  meet: ({ f, arithmetic: { pmax } }, [best], [here]) =>
    f.set(best!, v128.or(pmax(best!, here!), pmax(here!, best!))),
  finish: (_, [best]) => best!,
}

/** The sum of sources. */
export const sum: Reduction = {
  ...plain,
  name: 'sum',
  start: ({ f }) => [zeros(f)],
  meet: ({ f, element }, [total], [here]) => f.set(total!, element.add(total!, here!)),
  finish: (_, [total]) => total!,
}

/** The mean of sources; 0 where there is none. */
export const mean: Reduction = {
  ...sum,
  name: 'mean',
  counts: true,
  finish: (scene, [total], _, count) => scene.arithmetic.div(total!, atLeastOne(scene, count!)),
}

/** Sources are not read: what is given, divided by how many there are. */
export const share: Reduction = {
  ...plain,
  name: 'share',
  sources: 0,
  given: true,
  counts: true,
  start: () => [],
  meet: () => {},
  finish: (scene, _, given, count) => scene.arithmetic.div(given!, atLeastOne(scene, count!)),
}

/** The sum of sources times the weights of the taps. `relaxed`: each product and sum may round once. */
export const weightedSum = (relaxed: boolean): Reduction => ({
  ...sum,
  name: relaxed ? 'weightedSum' : 'weightedSumStrict',
  tap: 'weights',
  meet: ({ f, element }, [total], [here], weight) =>
    f.set(total!, element.multiplyAdd(here!, weight!, total!, relaxed)),
})

/** The number of the tap by which the first greatest source is met; NaN is greater than any number. `relaxed` is faster, to the same bits. */
export const whereGreatest = (relaxed: boolean): Reduction => ({
  ...plain,
  name: relaxed ? 'whereGreatest' : 'whereGreatestStrict',
  tap: 'number',
  registers: 2,
  start: ({ f, arithmetic }, firstTap) => [f.let(firstTap), f.let(f.constant(arithmetic.const(-Infinity)))],
  meet({ f, arithmetic }, [where, best], [here], tap) {
    const wins = f.let(arithmetic.greater(here!, best!))
    // Masks are all ones or zeros, for which both instructions answer the same.
    const choose = relaxed ? i32x4.relaxed_laneselect : v128.bitselect
    f.set(best!, choose(here!, best!, wins))
    f.set(where!, choose(tap!, where!, wins))
  },
  finish: (_, [where]) => where!,
})

/** Of two sources, a value and the number of a tap: the sum of the values that name the tap by which they are met. */
export const sumOfNamed: Reduction = {
  ...plain,
  name: 'sumOfNamed',
  sources: 2,
  tap: 'number',
  start: ({ f }) => [zeros(f)],
  meet({ f, element, arithmetic }, [total], [value, named], tap) {
    f.set(total!, element.add(total!, v128.and(value!, arithmetic.sameInteger(named!, tap!))))
  },
  finish: (_, [total]) => total!,
}
