// Kernels with reductions: several lanes share a point of the kept axes, meet in workgroup memory and, where points are few and long, in scratch memory.
import type { FusedKernel, KernelReduction } from '@shoal/core'
import { storesEverywhere, subexpressions } from '@shoal/core'
import type { BufferUse, KernelCode, Stage, Target } from '../stage.ts'
import type { Memory } from '../wgsl/memory.ts'
import { scalarType } from '../wgsl/representation.ts'
import { loadsFrom, ScalarWriter } from '../wgsl/scalar.ts'
import type { Shader } from '../wgsl/shader.ts'
import { combined, neutralLiteral } from './combine.ts'
import { usesOf } from './lower.ts'
import { counters } from './map.ts'
import { meet, type Seat } from './meet.ts'
import { keptOf, share, type Sharing, termsOf } from './sharing.ts'

/** The stages of a kernel with reductions: one, or, where points are split, one for every reduction that needs others, and one to store. */
export function reductionStages(kernel: FusedKernel, target: Target): KernelCode {
  const sharing = share(kernel, target)
  const levels = levelsOf(kernel)
  const { across, points, splits } = sharing
  const { features } = target
  const schedule = `${across} lanes a point, ${points} points a workgroup${splits > 1 ? `, ${splits} workgroups a point` : ''}`
  const all = [...kernel.stores.keys()]
  if (splits === 1)
    return {
      stages: [stageOf({ kernel, sharing, levels, features, outputs: all })],
      workspaceBytes: 0,
      schedule,
    }
  // What is stored once may take the memory of what other workgroups still read to store everywhere: it waits for a stage of its own.
  const stores = [
    all.filter((i) => storesEverywhere(kernel, kernel.stores[i]!)),
    all.filter((i) => !storesEverywhere(kernel, kernel.stores[i]!)),
  ].filter((outputs) => outputs.length > 0)
  const stages = [
    ...levels.map((_, level) => stageOf({ kernel, sharing, levels: levels.slice(0, level + 1), features })),
    ...stores.map((outputs) => stageOf({ kernel, sharing, levels, features, outputs })),
  ]
  return { stages, workspaceBytes: 4 * partials(kernel, sharing) * kernel.reductions.length, schedule }
}

/** What the workgroups of a split kernel find of one reduction. */
const partials = (kernel: FusedKernel, { splits }: Sharing): number => splits * keptOf(kernel)

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

/** What a stage is made of. With `outputs`, it finishes the reductions of all levels and stores these; without, it leaves parts of the last level's in scratch memory. */
interface StagePlan {
  readonly kernel: FusedKernel
  readonly sharing: Sharing
  readonly levels: readonly (readonly number[])[]
  /** Of the device, and of WGSL. */
  readonly features: ReadonlySet<string>
  readonly outputs?: readonly number[]
}

function stageOf(plan: StagePlan): Stage {
  const { kernel, sharing, levels, outputs } = plan
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
  // Once the parts are there, one workgroup is enough to store what a point stores once.
  const alone = splits === 1 || outputs?.every((i) => !storesEverywhere(kernel, kernel.stores[i]!)) === true
  return {
    buffers: [...used, ...scratch],
    groups: Math.ceil(keptOf(kernel) / points) * (alone ? 1 : splits),
    lanes: points * across,
    write: (shader) => {
      const writer = new ReductionWriter(shader, plan, { scratch: used.length, alone })
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
  private readonly features: ReadonlySet<string>
  private readonly memories: readonly Memory[]
  private readonly scratch: number
  /** The point, inside the range even for lanes that have none: all lanes come to the barriers. */
  private readonly point: string
  private readonly exists: string | undefined
  private readonly kept: readonly string[]
  private readonly accumulators: string[] = []
  private readonly seat: Seat
  /** The workgroup among those of its points. */
  private readonly split: string

  /**
   * @param scratch the first use that is scratch memory; there is one for every reduction.
   * @param alone has each point one workgroup only, in this stage?
   */
  constructor(
    shader: Shader,
    { kernel, sharing, features }: StagePlan,
    { scratch, alone }: { readonly scratch: number; readonly alone: boolean },
  ) {
    const { across, points, along, splits } = sharing
    this.shader = shader
    this.kernel = kernel
    this.sharing = sharing
    this.features = features
    this.scratch = scratch
    this.memories = Array.from({ length: scratch }, (_, i) => shader.memory(i))
    const kept = keptOf(kernel)
    this.seat = {
      share:
        across === 1
          ? '0'
          : points === 1
            ? 'lane'
            : shader.let(along ? `lane % ${across}` : `lane / ${points}`),
      point:
        points === 1
          ? '0'
          : across === 1
            ? 'lane'
            : shader.let(along ? `lane / ${across}` : `lane % ${points}`),
    }
    this.split = alone ? '0' : shader.let(`group % ${splits}`)
    const group = alone ? 'group' : shader.let(`group / ${splits}`)
    const position = shader.let(`${group} * ${points} + ${this.seat.point}`)
    this.exists = kept % points === 0 ? undefined : `${position} < ${kept}`
    this.point = this.exists ? shader.let(`min(${position}, ${kept - 1})`) : position
    this.kept = counters(shader, this.point, kernel.axes.slice(0, kernel.axes.length - kernel.reduced))
  }

  /** Computes reductions that need none of each other, and has every lane of a point know the result. */
  reduce(reductions: readonly number[]): void {
    this.finish(reductions, this.ownShare(reductions))
  }

  /** Computes this workgroup's part of reductions, and leaves it in scratch memory. */
  keep(reductions: readonly number[]): void {
    const { shader } = this
    const values = this.together(reductions, this.ownShare(reductions))
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
      shader.loop(this.seat.share, `${sharing.splits}`, `${sharing.across}`, (part) => {
        const word = shader.memory(this.scratch + reduction).load(this.place(reduction, part))
        const value = scalarType(dtype) === 'bool' ? `(${word} != 0u)` : word
        shader.line(`${sum} = ${combined(shader, combine, dtype, sum, value)};`)
      })
      return sum
    })
    this.finish(reductions, found)
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
    shader.block(this.onlyOne(), () => this.storeAt(once, this.kept))
  }

  private finish(reductions: readonly number[], values: readonly string[]): void {
    this.together(reductions, values).forEach((value, i) => (this.accumulators[reductions[i]!] = value))
  }

  private together(reductions: readonly number[], values: readonly string[]): string[] {
    const { shader, kernel, sharing, seat, features } = this
    const met = reductions.map((i) => kernel.reductions[i]!)
    return meet(shader, met, values, sharing, seat, features)
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
    const begin = splits === 1 ? this.seat.share : shader.let(`${this.split} * ${chunk} + ${this.seat.share}`)
    const end = splits === 1 ? `${terms}` : shader.let(`min(${this.split} * ${chunk} + ${chunk}, ${terms})`)
    shader.loop(begin, end, `${across}`, (term) => body([...this.kept, ...counters(shader, term, sizes)]))
  }

  /** The condition that holds for one lane of each point. */
  private onlyOne(): string {
    const conditions = [
      ...(this.sharing.across > 1 ? [`${this.seat.share} == 0`] : []),
      ...(this.exists ? [this.exists] : []),
    ]
    return `if (${conditions.length > 0 ? conditions.join(' && ') : 'true'})`
  }

  /** Where scratch memory has a part of a reduction at this point: neighbouring lanes read neighbours here too. */
  private place(reduction: number, part: string): string {
    const { kernel, sharing, point } = this
    const inside = sharing.along
      ? `${point} * ${sharing.splits} + ${part}`
      : `${part} * ${keptOf(kernel)} + ${point}`
    return `${reduction * partials(kernel, sharing)} + ${inside}`
  }
}
