// Sorting rows by key: in one workgroup where a row fits; otherwise by rounds that keep the least of every block, or by merges in scratch memory.
import type { BufferUse, Stage, Target } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { perLane } from '../elements.ts'
import { mergeAcross, sortBlock } from './bitonic.ts'
import { blockOf, last, loadPair, type Pair, pairAt, type Pairs, pairsUse, storePair } from './pairs.ts'

/** Rows of keys, of which the `take` least are wanted in order; equal keys keep their order. */
export interface Sorting {
  readonly rows: number
  readonly size: number
  readonly take: number
  /** What `key` reads: the first memories of the shader. */
  readonly reads: readonly BufferUse[]
  /** The key at a position of a row, u32. */
  readonly key: (shader: Shader, row: string, position: string) => string
  /** What `finish` writes, and reads. */
  readonly writes: readonly BufferUse[]
  /** Gets the key and the position of what comes `rank`-th in a row; `first` is the memory of `writes[0]`. */
  readonly finish: (shader: Shader, first: number, row: string, rank: string, pair: Pair) => void
  /** Which argument is scratch memory, and how many words of it others have. */
  readonly scratch: { readonly arg: number; readonly from: number }
}

/** The stages of a sort, and the words of scratch memory behind those of others. */
export interface SortCode {
  readonly stages: readonly Stage[]
  readonly words: number
}

/** Pairs that a workgroup sorts at most, whatever memory it may have: more of them, and fewer workgroups run at a time. */
const widest = 2048
/** Places that a workgroup shares out among short rows. */
const packed = 256
/** Steps of a merge that a lane does at once, so that pairs are read and written less often. */
const stepsAtOnce = 3

/** The stages that sort. */
export function sortStages(sorting: Sorting, target: Target): SortCode {
  const { rows, size, take } = sorting
  const most = Math.min(widest, powerOfTwo(target.workgroupBytes / 8 + 1) / 2)
  const lanes = Math.min(256, target.lanes)
  const way: Way = { ...sorting, lanes, most }
  if (size <= most) return { stages: [blockStage(way, keysOf(way), finishOf(way))], words: 0 }
  return take <= most / 2 ? rounds(way) : { stages: merges(way), words: 2 * rows * powerOfTwo(size) }
}

interface Way extends Sorting {
  readonly lanes: number
  /** Pairs of a block. */
  readonly most: number
}

/** The least power of two that is not less. */
const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)))

/** Where the pairs of a stage come from: `size` of a row. */
interface Source {
  readonly size: number
  readonly uses: readonly BufferUse[]
  readonly load: (shader: Shader, row: string, position: string) => Pair
}

/** Where the first `take` pairs of every block go. */
interface Sink {
  readonly take: number
  readonly uses: readonly BufferUse[]
  readonly store: (
    shader: Shader,
    first: number,
    row: string,
    block: string,
    rank: string,
    pair: Pair,
  ) => void
}

const keysOf = ({ size, reads, key }: Way): Source => ({
  size,
  uses: reads,
  load: (shader, row, position) => ({
    key: shader.let(key(shader, row, position)),
    index: `u32(${position})`,
  }),
})

const finishOf = ({ take, writes, finish }: Way): Sink => ({
  take,
  uses: writes,
  store: (shader, first, row, _, rank, pair) => finish(shader, first, row, rank, pair),
})

/** Sorts every block of a row by itself. Rows that are a good deal shorter than a block share a workgroup. */
function blockStage({ rows, lanes, most }: Way, source: Source, sink: Sink): Stage {
  const row = Math.min(most, Math.max(2, powerOfTwo(source.size)))
  const blocks = Math.ceil(source.size / row)
  const together = blocks > 1 ? 1 : Math.min(Math.max(1, packed / row), powerOfTwo(rows))
  const places = row * together
  const count = Math.min(lanes, places / 2)
  return {
    buffers: [...source.uses, ...sink.uses],
    groups: Math.ceil(rows / together) * blocks,
    lanes: count,
    write: (shader) => {
      const block = blockOf(shader, places, count)
      const part = blocks === 1 ? '0' : shader.let(`group % ${blocks}`)
      const first = shader.let(blocks === 1 ? `group * ${together}` : `group / ${blocks}`)
      const each = (body: (i: string, row: string, place: string) => void): void =>
        shader.loop('lane', `${places}`, `${count}`, (i) => {
          if (together === 1) body(i, first, i)
          else body(i, shader.let(`${first} + ${i} / ${row}`), shader.let(`${i} % ${row}`))
        })
      each((i, r, place) => {
        const position = blocks === 1 ? place : shader.let(`${part} * ${row} + ${place}`)
        shader.line(`${block.keys}[${i}] = ${last.key}; ${block.indices}[${i}] = ${last.index};`)
        const exists = together === 1 ? '' : ` && ${r} < ${rows}`
        shader.block(`if (${position} < ${source.size}${exists})`, () => {
          const { key, index } = source.load(shader, r, position)
          shader.line(`${block.keys}[${i}] = ${key}; ${block.indices}[${i}] = ${index};`)
        })
      })
      shader.barrier()
      // Every block goes upwards as a whole, and so does every row of it.
      sortBlock(shader, block, [1, row], (i) => `${i} & ${row - 1}`)
      each((i, r, place) => {
        const exists = together === 1 ? '' : ` && ${r} < ${rows}`
        shader.block(`if (${place} < ${sink.take}${exists})`, () =>
          sink.store(shader, source.uses.length, r, part, place, pairAt(shader, block, i)),
        )
      })
    },
  }
}

/** Keeps the `take` least of every block, then of every block of what was kept, until all are in one. */
function rounds(way: Way): SortCode {
  const { rows, take, most, scratch } = way
  const stages: Stage[] = []
  let source = keysOf(way)
  let words = 0
  while (source.size > most) {
    const size = Math.ceil(source.size / most) * take
    const kept = { arg: scratch.arg, from: scratch.from + words, count: rows * size }
    words += 2 * rows * size
    stages.push(
      blockStage(way, source, {
        take,
        uses: [pairsUse(kept, 'write')],
        store: (shader, first, row, block, rank, pair) =>
          storePair(shader, first, kept, `${row} * ${size} + ${block} * ${take} + ${rank}`, pair),
      }),
    )
    source = {
      size,
      uses: [pairsUse(kept, 'read')],
      load: (shader, row, position) => loadPair(shader, 0, kept, `${row} * ${size} + ${position}`),
    }
  }
  return { stages: [...stages, blockStage(way, source, finishOf(way))], words }
}

/** Sorts whole rows in scratch memory, filled up to powers of two. */
function merges(way: Way): Stage[] {
  const { rows, size, most, scratch } = way
  const row = powerOfTwo(size)
  const pairs: Pairs = { ...scratch, count: rows * row }
  const stages: Stage[] = [mergeStage(way, pairs, row, 1, most)]
  for (let run = 2 * most; run <= row; run *= 2) {
    for (let step = run / 2; step >= most; ) {
      const levels = Math.min(stepsAtOnce, Math.log2(step / most) + 1)
      stages.push(acrossStage(pairs, row, run, step, levels))
      step /= 2 ** levels
    }
    stages.push(mergeStage(way, pairs, row, run / 2, run))
  }
  return stages
}

/** Steps of a merge to runs of `run` between pairs that are `step` and less apart: `levels` of them. */
function acrossStage(pairs: Pairs, row: number, run: number, step: number, levels: number): Stage {
  const near = step / 2 ** (levels - 1)
  return perLane(pairs.count / 2 ** levels, [pairsUse(pairs, 'write')], (shader, number) => {
    const low = shader.let(`${number} % ${near}`)
    const begin = shader.let(`(${number} / ${near}) * ${near * 2 ** levels} + ${low}`)
    const upwards = shader.let(`((${begin} & ${row - 1}) & ${run}) == 0`)
    const places = Array.from({ length: 2 ** levels }, (_, i) => shader.let(`${begin} + ${i * near}`))
    const own = places.map((place): Pair => {
      const { key, index } = loadPair(shader, 0, pairs, place)
      return { key: shader.variable('u32', key), index: shader.variable('u32', index) }
    })
    mergeAcross(shader, own, levels, upwards)
    places.forEach((place, i) => storePair(shader, 0, pairs, place, own[i]!))
  })
}

/** Blocks of rows in scratch memory, from runs of `sorted` to runs of `run`: the first takes the keys themselves, the last finishes. */
function mergeStage(way: Way, pairs: Pairs, row: number, sorted: number, run: number): Stage {
  const { most, lanes, reads, writes, size, take } = way
  const [first, final] = [sorted === 1, run === row]
  const blocks = row / most
  const source = keysOf(way)
  const sink = finishOf(way)
  const own = pairsUse(pairs, 'write')
  return {
    buffers: [...(first ? reads : []), own, ...(final ? writes : [])],
    groups: pairs.count / most,
    lanes,
    write: (shader) => {
      const memory = first ? reads.length : 0
      const block = blockOf(shader, most, lanes)
      const [r, begin] = [shader.let(`group / ${blocks}`), shader.let(`group % ${blocks} * ${most}`)]
      shader.loop('lane', `${most}`, `${lanes}`, (i) => {
        const position = shader.let(`${begin} + ${i}`)
        const put = ({ key, index }: Pair): void =>
          shader.line(`${block.keys}[${i}] = ${key}; ${block.indices}[${i}] = ${index};`)
        if (!first) return put(loadPair(shader, memory, pairs, `${r} * ${row} + ${position}`))
        put(last)
        shader.block(`if (${position} < ${size})`, () => put(source.load(shader, r, position)))
      })
      shader.barrier()
      sortBlock(shader, block, [sorted, run], (i) => `(${begin} + ${i}) & ${row - 1}`)
      shader.loop('lane', `${most}`, `${lanes}`, (i) => {
        const position = shader.let(`${begin} + ${i}`)
        const pair = pairAt(shader, block, i)
        if (!final) return storePair(shader, memory, pairs, `${r} * ${row} + ${position}`, pair)
        shader.block(`if (${position} < ${take})`, () =>
          sink.store(shader, memory + 1, r, '0', position, pair),
        )
      })
    },
  }
}
