// Kernels with reductions: several lanes share a point of the kept axes, meet in workgroup memory and, where points are few and long, in scratch memory.
import type { Expr, FusedKernel, KernelReduction } from '@shoal/core'
import { affine, sizeOf, storesEverywhere, subexpressions } from '@shoal/core'
import type { BufferUse, KernelCode, Stage, Target } from '../stage.ts'
import type { Memory } from '../wgsl/memory.ts'
import { loadsFrom, ScalarWriter } from '../wgsl/scalar.ts'
import { scalarType } from '../wgsl/representation.ts'
import type { Shader } from '../wgsl/shader.ts'
import { combined, neutralLiteral } from './combine.ts'
import { usesOf } from './lower.ts'
import { counters } from './map.ts'

/** How the points of the kept axes, and the terms of each, are shared out. */
export interface Sharing {
  /** Lanes that share the terms of a point; a power of two. */
  readonly across: number
  /** Points of a workgroup. */
  readonly points: number
  /** Do neighbouring lanes read neighbouring terms, rather than neighbouring points? */
  readonly along: boolean
  /** Workgroups that share the terms of a point; what they find meets in scratch memory. */
  readonly splits: number
}

/** So many lanes keep a GPU busy. */
const enough = 32768
/** Splitting a point among workgroups costs another dispatch: each must have so many terms at least. */
const splitTerms = 2048

/** The stages of a kernel with reductions: one, or, where points are split, one for every reduction that needs others, and one to store. */
export function reductionStages(kernel: FusedKernel, target: Target): KernelCode {
  const sharing = share(kernel, target)
  const levels = levelsOf(kernel)
  const { across, points, splits } = sharing
  const schedule = `${across} lanes a point, ${points} points a workgroup${splits > 1 ? `, ${splits} workgroups a point` : ''}`
  const all = [...kernel.stores.keys()]
  if (splits === 1) return { stages: [stageOf(kernel, sharing, levels, all)], workspaceBytes: 0, schedule }
  // What is stored once may take the memory of what other workgroups still read to store everywhere: it waits for a stage of its own.
  const stores = [
    all.filter((i) => storesEverywhere(kernel, kernel.stores[i]!)),
    all.filter((i) => !storesEverywhere(kernel, kernel.stores[i]!)),
  ].filter((outputs) => outputs.length > 0)
  const stages = [
    ...levels.map((_, level) => stageOf(kernel, sharing, levels.slice(0, level + 1))),
    ...stores.map((outputs) => stageOf(kernel, sharing, levels, outputs)),
  ]
  return { stages, workspaceBytes: 4 * partials(kernel, sharing) * kernel.reductions.length, schedule }
}

/** What the workgroups of a split kernel find of one reduction. */
const partials = (kernel: FusedKernel, { splits }: Sharing): number => splits * keptOf(kernel)
const keptOf = ({ axes, reduced }: FusedKernel): number => sizeOf(axes.slice(0, axes.length - reduced))
const termsOf = ({ axes, reduced }: FusedKernel): number => sizeOf(axes.slice(axes.length - reduced))

/** Reductions by what they need: those of a level only need those of levels before. */
function levelsOf({ reductions }: FusedKernel): readonly (readonly number[])[] {
  const levels: number[] = []
  reductions.forEach(({ term }, i) => {
    let level = 0
    for (const e of subexpressions(term))
      if (e.op === 'acc') level = Math.max(level, levels[e.reduction]! + 1)
    levels[i] = level
  })
  return Array.from({ length: Math.max(...levels) + 1 }, (_, level) =>
    [...reductions.keys()].filter((i) => levels[i] === level),
  )
}

/** Chooses the sharing of a kernel. */
export function share(kernel: FusedKernel, target: Target): Sharing {
  const [kept, terms] = [keptOf(kernel), termsOf(kernel)]
  const along = readsAlong(kernel)
  const most = Math.min(256, target.lanes)
  const wanted = Math.max(along ? Math.min(32, terms) : 1, Math.ceil(enough / Math.max(1, kept)))
  const across = powerOfTwo(Math.max(1, Math.min(most, wanted, Math.ceil(terms / 2))))
  const points = Math.max(1, Math.min(Math.floor(Math.max(64, across) / across), kept))
  const groups = Math.ceil(kept / points)
  // Scratch memory takes a binding too.
  const bound = kernel.inputs.length + kernel.stores.length
  const splits =
    bound >= target.maxBuffers || across * points * groups * 2 > enough || terms < 2 * splitTerms
      ? 1
      : Math.min(256, Math.floor(terms / splitTerms), Math.ceil(enough / (across * points * groups)))
  return { across, points, along, splits }
}

/** Does a step along the terms go to the neighbour in memory, for most of what is read? Ties count as terms. */
function readsAlong({ axes, reduced, reductions }: FusedKernel): boolean {
  const [lastTerm, lastKept] = [axes.length - 1, axes.length - reduced - 1]
  let balance = 0
  for (const e of subexpressions(...reductions.map(({ term }) => term))) {
    if (e.op !== 'load') continue
    balance += Number(stride(e.index, lastTerm) === 1) - Number(stride(e.index, lastKept) === 1)
  }
  return balance >= 0
}

function stride(index: Expr, axis: number): number {
  for (const [atom, coefficient] of affine(index).terms)
    if (atom.op === 'axis' && atom.axis === axis) return coefficient
  return 0
}

const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(atLeast))

/** A stage. With `outputs`, it finishes the reductions of all levels and stores these; without, it leaves parts of the last level's in scratch memory. */
function stageOf(
  kernel: FusedKernel,
  sharing: Sharing,
  levels: readonly (readonly number[])[],
  outputs?: readonly number[],
): Stage {
  const { points, across, splits } = sharing
  const uses = usesOf(kernel)
  const parts = outputs ? [] : levels.at(-1)!
  const used = outputs ? uses : uses.slice(0, kernel.inputs.length)
  const scratch: BufferUse[] =
    splits === 1
      ? []
      : kernel.reductions.map(({ dtype }, i) => ({
          arg: uses.length,
          dtype: scratchDtype(dtype),
          length: partials(kernel, sharing) * kernel.reductions.length,
          access: parts.includes(i) ? 'write' : 'read',
        }))
  return {
    buffers: [...used, ...scratch],
    groups: Math.ceil(keptOf(kernel) / points) * splits,
    lanes: points * across,
    write: (shader) => {
      const writer = new ReductionWriter(shader, kernel, sharing, used.length)
      const finished = outputs ? levels : levels.slice(0, -1)
      finished.forEach((reductions) =>
        splits === 1 ? writer.reduce(reductions) : writer.collect(reductions),
      )
      if (outputs) writer.store(outputs)
      else writer.keep(parts)
    },
  }
}

/** Partial results of narrow integers and truths take a word each. */
const scratchDtype = (dtype: KernelReduction['dtype']): BufferUse['dtype'] =>
  (({ f32: 'float32', i32: 'int32', u32: 'uint32', bool: 'uint32' }) as const)[scalarType(dtype)]

/** Writes one stage of a kernel with reductions. */
class ReductionWriter {
  private readonly shader: Shader
  private readonly kernel: FusedKernel
  private readonly sharing: Sharing
  private readonly memories: readonly Memory[]
  private readonly scratch: number
  /** The point, inside the range even for lanes that have none: all lanes come to the barriers. */
  private readonly point: string
  private readonly exists: string | undefined
  private readonly kept: readonly string[]
  private readonly accumulators: string[] = []
  private readonly share: string
  private readonly split: string
  private readonly lanePoint: string

  /** @param scratch the first use that is scratch memory; there is one for every reduction. */
  constructor(shader: Shader, kernel: FusedKernel, sharing: Sharing, scratch: number) {
    const { across, points, along, splits } = sharing
    this.shader = shader
    this.kernel = kernel
    this.sharing = sharing
    this.scratch = scratch
    this.memories = Array.from({ length: scratch }, (_, i) => shader.memory(i))
    const kept = keptOf(kernel)
    this.share =
      across === 1 ? '0' : points === 1 ? 'lane' : shader.let(along ? `lane % ${across}` : `lane / ${points}`)
    this.lanePoint =
      points === 1 ? '0' : across === 1 ? 'lane' : shader.let(along ? `lane / ${across}` : `lane % ${points}`)
    this.split = splits === 1 ? '0' : shader.let(`group % ${splits}`)
    const group = splits === 1 ? 'group' : shader.let(`group / ${splits}`)
    const position = shader.let(`${group} * ${points} + ${this.lanePoint}`)
    this.exists = kept % points === 0 ? undefined : `${position} < ${kept}`
    this.point = this.exists ? shader.let(`min(${position}, ${kept - 1})`) : position
    this.kept = counters(shader, this.point, kernel.axes.slice(0, kernel.axes.length - kernel.reduced))
  }

  /** Computes reductions that need none of each other, and has every lane of a point know the result. */
  reduce(reductions: readonly number[]): void {
    this.ownShare(reductions).forEach((value, i) => {
      this.accumulators[reductions[i]!] = this.together(reductions[i]!, value)
    })
  }

  /** Computes this workgroup's part of reductions, and leaves it in scratch memory. */
  keep(reductions: readonly number[]): void {
    const values = this.ownShare(reductions).map((value, i) => this.together(reductions[i]!, value))
    const { shader } = this
    shader.block(this.onlyOne(), () =>
      reductions.forEach((reduction, i) => {
        const value =
          scalarType(this.kernel.reductions[reduction]!.dtype) === 'bool'
            ? `select(0u, 1u, ${values[i]!})`
            : values[i]!
        shader.memory(this.scratch + reduction).store(this.place(reduction, this.split), value)
      }),
    )
  }

  /** Finishes reductions out of the parts that all workgroups left. */
  collect(reductions: readonly number[]): void {
    const { shader, sharing } = this
    const found = reductions.map((reduction) => {
      const { combine, dtype } = this.kernel.reductions[reduction]!
      const sum = shader.variable(scalarType(dtype), neutralLiteral(shader, combine, dtype))
      shader.loop(this.share, `${sharing.splits}`, `${sharing.across}`, (part) => {
        const word = shader.memory(this.scratch + reduction).load(this.place(reduction, part))
        const value = scalarType(dtype) === 'bool' ? `(${word} != 0u)` : word
        shader.line(`${sum} = ${combined(shader, combine, dtype, sum, value)};`)
      })
      return sum
    })
    found.forEach((value, i) => (this.accumulators[reductions[i]!] = this.together(reductions[i]!, value)))
  }

  /** Stores outputs, once all reductions are finished. */
  store(outputs: readonly number[]): void {
    const { shader, kernel, sharing } = this
    const everywhere = outputs.filter((i) => storesEverywhere(kernel, kernel.stores[i]!))
    const once = outputs.filter((i) => !everywhere.includes(i))
    if (everywhere.length > 0 && termsOf(kernel) > 0) {
      const body = (): void => this.eachTerm((axes) => this.storeAt(everywhere, axes))
      if (this.exists) shader.block(`if (${this.exists})`, body)
      else body()
      // What is stored once may take the memory of what the other lanes have read up to here.
      if (once.length > 0 && sharing.across > 1) shader.line('storageBarrier();')
    }
    if (once.length === 0) return
    const first = this.onlyOne(sharing.splits > 1 ? `${this.split} == 0` : undefined)
    shader.block(first, () => this.storeAt(once, this.kept))
  }

  private storeAt(outputs: readonly number[], axes: readonly string[]): void {
    const { inputs, stores } = this.kernel
    const writer = this.writer(axes)
    const values = outputs.map(
      (i) => [writer.write(stores[i]!.index), writer.write(stores[i]!.value)] as const,
    )
    values.forEach(([index, value], k) => this.memories[inputs.length + outputs[k]!]!.store(index, value))
  }

  private writer(axes: readonly string[]): ScalarWriter {
    return new ScalarWriter(this.shader, {
      axes,
      load: loadsFrom(this.memories),
      accumulators: this.accumulators,
    })
  }

  /** What this lane finds in its share of the terms. */
  private ownShare(reductions: readonly number[]): string[] {
    const { shader, kernel } = this
    const sums = reductions.map((i) => {
      const { combine, dtype } = kernel.reductions[i]!
      return shader.variable(scalarType(dtype), neutralLiteral(shader, combine, dtype))
    })
    if (termsOf(kernel) === 0) return sums
    this.eachTerm((axes) => {
      const writer = this.writer(axes)
      reductions.forEach((i, k) => {
        const { combine, dtype, term } = kernel.reductions[i]!
        shader.line(`${sums[k]!} = ${combined(shader, combine, dtype, sums[k]!, writer.write(term))};`)
      })
    })
    return sums
  }

  /** Runs over this lane's share of the terms. */
  private eachTerm(body: (axes: readonly string[]) => void): void {
    const { shader, kernel, sharing } = this
    const terms = termsOf(kernel)
    const sizes = kernel.axes.slice(kernel.axes.length - kernel.reduced)
    const { across, splits } = sharing
    const chunk = Math.ceil(terms / splits)
    const begin = splits === 1 ? this.share : shader.let(`${this.split} * ${chunk} + ${this.share}`)
    const end = splits === 1 ? `${terms}` : shader.let(`min(${this.split} * ${chunk} + ${chunk}, ${terms})`)
    shader.loop(begin, end, `${across}`, (term) => body([...this.kept, ...counters(shader, term, sizes)]))
  }

  /** Combines what the lanes of a point have; all of them get the answer. */
  private together(reduction: number, value: string): string {
    const { across, points, along } = this.sharing
    if (across === 1) return value
    const { shader, kernel } = this
    const { combine, dtype } = kernel.reductions[reduction]!
    const shared = shader.shared(`array<${scalarType(dtype)}, ${across * points}>`)
    // Lane `share` of a point holds its value at `share · step` from where the point begins.
    const step = along ? 1 : points
    const own = 'lane'
    shader.line(`${shared}[${own}] = ${value};`)
    shader.barrier()
    for (let half = across / 2; half >= 1; half /= 2) {
      shader.block(`if (${this.share} < ${half})`, () => {
        const other = `${shared}[lane + ${half * step}]`
        shader.line(`${shared}[lane] = ${combined(shader, combine, dtype, `${shared}[lane]`, other)};`)
      })
      shader.barrier()
    }
    return shader.let(`${shared}[${along ? `${this.lanePoint} * ${across}` : this.lanePoint}]`)
  }

  /** The condition that holds for one lane of each point. */
  private onlyOne(further?: string): string {
    const conditions = [
      ...(this.sharing.across > 1 ? [`${this.share} == 0`] : []),
      ...(this.exists ? [this.exists] : []),
      ...(further ? [further] : []),
    ]
    return `if (${conditions.length > 0 ? conditions.join(' && ') : 'true'})`
  }

  /** Where scratch memory has a part of a reduction at this point. */
  private place(reduction: number, part: string): string {
    const { splits } = this.sharing
    return `${reduction * partials(this.kernel, this.sharing)} + ${this.point} * ${splits} + ${part}`
  }
}
