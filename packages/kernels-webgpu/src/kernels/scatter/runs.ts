// Updates in the order of their places, combined: lanes go through equal parts of them, and what runs beyond its part is put together afterwards.
import type { BufferUse, Stage } from '../../stage.ts'
import { combined, neutralLiteral } from '../../lower/combine.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { perLane, wordDtype } from '../elements.ts'
import { changed, combineOf, nowhere, type Scatter, type Update, updatesUse } from './scatter.ts'

/** A scatter that combines. */
export interface Combining extends Scatter {
  readonly update: Exclude<Update, 'set'>
}

/** A part is so many updates at least. */
const shortest = 32

/**
 * The stages that combine, and the words of scratch memory behind the order.
 * @param order how the places in order, and then their tuples, are read from scratch memory.
 */
export function combineRuns(
  scatter: Combining,
  order: BufferUse,
): { readonly stages: readonly Stage[]; readonly words: number } {
  const { x, length, count, width, to } = scatter
  // As many steps within a part as there may be from part to part.
  const part = Math.max(shortest, 2 ** Math.ceil(Math.log2(count) / 2))
  const parts = Math.ceil(count / part)
  const ends: Ends = { part, parts, width, from: order.length }
  const words = 2 * parts * width
  const partial = {
    arg: order.arg,
    dtype: wordDtype(x.dtype),
    length: order.length + words,
  } as const
  const answer: BufferUse = { arg: to, dtype: x.dtype, length, access: 'write' }
  return {
    words,
    stages: [
      perLane(
        parts * width,
        [order, updatesUse(scatter), answer, { ...partial, access: 'write' }],
        (shader, number) => withinPart(new Runs(shader, scatter, ends, [0, 2, 3]), number),
      ),
      perLane(parts * width, [order, answer, { ...partial, access: 'read' }], (shader, number) =>
        acrossParts(new Runs(shader, scatter, ends, [0, 1, 2]), number),
      ),
    ],
  }
}

/** How parts lie, and where scratch memory has what their first and last runs come to: all first ones, then all last ones. */
interface Ends {
  /** Updates of a part. */
  readonly part: number
  readonly parts: number
  readonly width: number
  readonly from: number
}

/** What both stages say. */
class Runs {
  readonly shader: Shader
  readonly scatter: Combining
  readonly ends: Ends
  private readonly uses: readonly [order: number, answer: number, partial: number]

  constructor(shader: Shader, scatter: Combining, ends: Ends, uses: readonly [number, number, number]) {
    this.shader = shader
    this.scatter = scatter
    this.ends = ends
    this.uses = uses
  }

  /** The place that comes `rank`-th. */
  place(rank: string): string {
    return this.shader.memory(this.uses[0]).load(rank)
  }

  /** The tuple that names it. */
  tuple(rank: string): string {
    return `i32(${this.place(`${this.scatter.count} + ${rank}`)})`
  }

  /** A variable for what updates come to, of none yet. */
  nothing(): string {
    const { x, update } = this.scatter
    const value = neutralLiteral(this.shader, combineOf[update], x.dtype)
    return this.shader.variable(scalarType(x.dtype), value)
  }

  /** Adds what came to a total. */
  take(total: string, came: string): void {
    const { x, update } = this.scatter
    this.shader.line(`${total} = ${combined(this.shader, combineOf[update], x.dtype, total, came)};`)
  }

  /** Changes the element of a place by what its updates came to. */
  change(place: string, within: string, total: string): void {
    const { x, update, width } = this.scatter
    const answer = this.shader.memory(this.uses[1])
    const at = this.shader.let(`i32(${place}) * ${width} + ${within}`)
    const old = this.shader.let(answer.load(at))
    answer.store(at, changed(this.shader, update, x.dtype, old, total))
  }

  /** What the first run of a part comes to that began before it, or the last that ends behind it. */
  end(which: 'first' | 'last', part: string, within: string): string {
    const { from, parts, width } = this.ends
    const value = this.shader
      .memory(this.uses[2])
      .load(`${from + (which === 'first' ? 0 : parts * width)} + ${part} * ${width} + ${within}`)
    return this.shader.let(value)
  }

  keep(which: 'first' | 'last', part: string, within: string, total: string): void {
    const { from, parts, width } = this.ends
    const at = `${from + (which === 'first' ? 0 : parts * width)} + ${part} * ${width} + ${within}`
    this.shader.memory(this.uses[2]).store(at, total)
  }
}

/** Combines the updates of a part, and changes what all updates are known of. */
function withinPart(runs: Runs, number: string): void {
  const { shader, scatter, ends } = runs
  const { count, width } = scatter
  const [part, within] = [shader.let(`${number} / ${width}`), shader.let(`${number} % ${width}`)]
  const begin = shader.let(`${part} * ${ends.part}`)
  const end = shader.let(`min(${begin} + ${ends.part}, ${count})`)
  const place = shader.variable('u32', runs.place(begin))
  const began = shader.variable('bool', `${begin} > 0 && ${runs.place(`max(${begin} - 1, 0)`)} == ${place}`)
  const total = runs.nothing()
  const first = (): void => runs.keep('first', part, within, total)
  const whole = (): void => runs.change(place, within, total)
  shader.loop(begin, end, '1', (rank) => {
    const next = shader.let(runs.place(rank))
    shader.block(`if (${next} != ${place})`, () => {
      shader.block(`if (${began})`, first)
      shader.block('else', whole)
      const nothing = runs.nothing()
      shader.line(`${place} = ${next}; ${began} = false; ${total} = ${nothing};`)
    })
    shader.line(`if (${place} == ${nowhere}) { break; }`)
    const at = shader.let(`${runs.tuple(rank)} * ${width} + ${within}`)
    runs.take(total, shader.let(shader.memory(1).load(at)))
  })
  shader.line(`if (${place} == ${nowhere}) { return; }`)
  const goesOn = `${end} < ${count} && ${runs.place(`min(${end}, ${count - 1})`)} == ${place}`
  shader.block(`if (${began})`, first)
  shader.block(`else if (${goesOn})`, () => runs.keep('last', part, within, total))
  shader.block('else', whole)
}

/** For a run that begins in a part and ends behind it: puts together what it comes to, and changes its place. */
function acrossParts(runs: Runs, number: string): void {
  const { shader, scatter, ends } = runs
  const { count, width } = scatter
  const [part, within] = [shader.let(`${number} / ${width}`), shader.let(`${number} % ${width}`)]
  const begin = shader.let(`${part} * ${ends.part}`)
  const end = shader.let(`${begin} + ${ends.part}`)
  shader.line(`if (${end} >= ${count}) { return; }`)
  const place = shader.let(runs.place(`${end} - 1`))
  const goesOn = `${runs.place(end)} == ${place}`
  const before = `${begin} > 0 && ${runs.place(`max(${begin} - 1, 0)`)} == ${place}`
  shader.line(`if (${place} == ${nowhere} || !(${goesOn}) || (${before})) { return; }`)
  const total = shader.variable(scalarType(scatter.x.dtype), runs.end('last', part, within))
  shader.loop(`${part} + 1`, `${ends.parts}`, '1', (next) => {
    shader.line(`if (${runs.place(`${next} * ${ends.part}`)} != ${place}) { break; }`)
    runs.take(total, runs.end('first', next, within))
  })
  runs.change(place, within, total)
}
