// Writes where windows are in the tensor that they walk over: the part of the row, and the part of the tap and channel.
import { sizeOf } from '@shoal/core'
import type { Shader } from '../../wgsl/shader.ts'
import { type Axis, isPointwise, phasesOf, type Phase, seesPadding, type Walk } from './geometry.ts'
import { digits, type Part, plus, times, type Unit } from './part.ts'

/** A row of a walk in the answer. */
export interface Place {
  /** Position among all spatial positions of the answer, over all images. */
  readonly position: string
  /** A condition without which there is no such row. */
  readonly exists: string | undefined
}

/** Writes the places of windows in one phase of a walk. */
export class WindowWriter {
  /** Taps that a window of the phase sees, for each axis: numbers, or names where phases differ. */
  readonly taps: readonly string[]
  private readonly shader: Shader
  private readonly walk: Walk
  private readonly unit: Unit
  /** For each axis, which phase it is. */
  private readonly phases: readonly string[]
  private readonly offsets: readonly string[]
  private readonly firsts: readonly string[]
  /** Elements, or fours of them, from one position to the next along each axis. */
  private readonly strides: readonly number[]
  private readonly volume: number

  /** @param phase which of the walk's phases, i32. @param unit channels that are read together. */
  constructor(shader: Shader, walk: Walk, phase: string, unit: Unit) {
    const { axes, total } = walk
    this.shader = shader
    this.walk = walk
    this.unit = unit
    this.phases = digits(
      shader,
      phase,
      axes.map(({ phases }) => `${phases.length}`),
    )
    this.taps = this.ofPhases('taps')
    this.offsets = this.ofPhases('offset')
    this.firsts = this.ofPhases('first')
    const position = total / unit
    this.strides = axes.map((_, axis) => sizeOf(axes.slice(axis + 1).map(({ size }) => size)) * position)
    this.volume = sizeOf(axes.map(({ size }) => size)) * position
  }

  /** Sizes of the axes along which windows may see padding: those that coordinates are for. */
  get sizes(): readonly number[] {
    return this.checked.map((axis) => this.walk.axes[axis]!.size)
  }

  /** A row by its position among all rows of the phase. */
  row(position: string, exists?: string): Part {
    if (isPointwise(this.walk))
      return { index: this.say(times(position, this.walk.total / this.unit)), exists }
    return this.rowAt(digits(this.shader, position, this.rowSizes), exists)
  }

  /** A row by its image and its position along each axis. */
  rowAt([image, ...row]: readonly string[], exists?: string): Part {
    const { axes } = this.walk
    const starts = axes.map(({ step }, axis) => this.say(plus(times(row[axis]!, step), this.offsets[axis]!)))
    const within = starts.map((start, axis) => times(start, this.strides[axis]!))
    return {
      index: this.say(plus(times(image!, this.volume), ...within)),
      coordinates: this.checked.map((axis) => starts[axis]!),
      exists,
    }
  }

  /** A tap by its position along each axis, and a channel (or four) of the tensor. */
  tapAt(tap: readonly string[], channel: string, exists?: string): Part {
    const shifts = this.walk.axes.map(({ dilation }, axis) => this.say(times(tap[axis]!, dilation)))
    const within = shifts.map((shift, axis) => times(shift, this.strides[axis]!))
    return {
      index: this.say(plus(...within, channel)),
      coordinates: this.checked.map((axis) => shifts[axis]!),
      exists,
    }
  }

  /** The position of a tap among all taps of the filter. */
  filterTap(tap: readonly string[]): string {
    const { axes } = this.walk
    const along = axes.map(({ tapStep }, axis) => {
      const own = this.say(plus(times(tap[axis]!, tapStep), this.firsts[axis]!))
      return times(own, sizeOf(axes.slice(axis + 1).map(({ kernel }) => kernel)))
    })
    return this.say(plus(...along))
  }

  /** Where in the answer a row of the phase stands. */
  place(position: string): Place {
    const { axes } = this.walk
    if (phasesOf(this.walk) === 1 && axes.every(({ rows, extent }) => rows === extent))
      return { position, exists: undefined }
    const [image, ...row] = digits(this.shader, position, this.rowSizes)
    const at = axes.map(({ spread }, axis) => this.say(plus(times(row[axis]!, spread), this.phases[axis]!)))
    const beyond = axes.flatMap(({ rows, spread, extent }, axis) =>
      rows * spread > extent ? [`${at[axis]} < ${extent}`] : [],
    )
    const flat = at.map((one, axis) => times(one, sizeOf(axes.slice(axis + 1).map(({ extent }) => extent))))
    const images = times(image!, sizeOf(axes.map(({ extent }) => extent)))
    return { position: this.say(plus(images, ...flat)), exists: beyond.join(' && ') || undefined }
  }

  /** Sizes of the rows: images, then each axis. */
  get rowSizes(): readonly string[] {
    return [this.walk.batch, ...this.walk.axes.map(({ rows }) => rows)].map(String)
  }

  private get checked(): readonly number[] {
    const { axes } = this.walk
    return [...axes.keys()].filter((axis) => seesPadding(axes[axis]!))
  }

  /** What phases differ in, for the phase of each axis. */
  private ofPhases(what: keyof Phase): readonly string[] {
    return this.walk.axes.map((axis, i) => this.ofPhase(axis, i, what))
  }

  private ofPhase({ phases }: Axis, axis: number, what: keyof Phase): string {
    const values = phases.map((phase) => phase[what])
    if (values.every((value) => value === values[0])) return `${values[0]}`
    const table = `axis${axis}_${what}`
    this.shader.declare(`const ${table} = array<i32, ${values.length}>(${values.join(', ')});`)
    return this.shader.let(`${table}[${this.phases[axis]}]`)
  }

  private say(value: string): string {
    return /^-?\w+$/.test(value) ? value : this.shader.let(value)
  }
}
