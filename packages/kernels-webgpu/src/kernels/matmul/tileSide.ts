// One operand of a tile: fetched into registers, laid down in workgroup memory, and read from there by the lanes that multiply.
import type { Shader } from '../../wgsl/shader.ts'
import type { Arithmetic } from './arithmetic.ts'
import type { OperandReader } from './operand.ts'

/** How a tile takes up one operand. */
export interface TileSideOptions {
  readonly reader: OperandReader
  /** The operand's axis of neighbours. */
  readonly along: 'outer' | 'inner'
  readonly element: Arithmetic['element']
  /** Rows (or columns) of the tile, those of a lane, and the steps of k. */
  readonly extent: number
  readonly perLane: number
  readonly depth: number
  readonly lanes: number
  /** The first row (or column) of the tile over `extent`: the tile's number. */
  readonly tile: string
  /** The lane's position along this side. */
  readonly position: string
  /** May steps of k lie beyond its end? */
  readonly ragged: boolean
}

const components = ['x', 'y', 'z', 'w'] as const

/** A vector that a lane fetches: where it belongs, as the row of neighbours and the vector in it, and the variable that holds it meanwhile. */
interface Fetch {
  readonly row: string
  readonly quad: string
  readonly register: string
}

/**
 * A tile lies in workgroup memory as its operand does in storage: four neighbours in a vector. Where these are steps of k, the lanes'
 * rows are interleaved (position, position + positions, …) and each begins a vector further than it need, so that lanes side by side read
 * different banks; where they are rows, four of them belong to a lane.
 */
export class TileSide {
  private readonly shader: Shader
  private readonly options: TileSideOptions
  private readonly shared: string
  /** Vectors from a row of neighbours to the next. */
  private readonly stride: number
  private readonly fetches: readonly Fetch[]
  private vectors: readonly string[] = []

  constructor(shader: Shader, options: TileSideOptions) {
    const { along, element, extent, depth, lanes } = options
    this.shader = shader
    this.options = options
    this.stride = along === 'inner' ? depth / 4 + 1 : extent / 4
    this.shared = shader.shared(
      `array<vec4<${element}>, ${this.stride * (along === 'inner' ? extent : depth)}>`,
    )
    this.fetches = this.places((extent * depth) / 4 / lanes).map(([row, quad]) => {
      return { row, quad, register: shader.variable(`vec4<${element}>`) }
    })
  }

  /** Fetches the steps of k from `step` on, a multiple of the depth. */
  fetch(step: string): void {
    const { shader, fetches, options } = this
    const { reader, along, extent, tile, ragged } = options
    const first = shader.let(along === 'inner' ? `${step} >> 2u` : step)
    for (const { row, quad, register } of fetches) {
      const value =
        along === 'inner'
          ? reader.four(outerAt(tile, extent, row), shader.let(`${first} + ${quad}`), ragged)
          : reader.four(shader.let(`${first} + ${row}`), outerAt(tile, extent / 4, quad), ragged)
      shader.line(`${register} = ${value};`)
    }
  }

  /** Lays down what was fetched. */
  lay(): void {
    for (const { row, quad, register } of this.fetches)
      this.shader.line(`${this.shared}[(${row}) * ${this.stride} + ${quad}] = ${register};`)
  }

  /** Reads the lane's share of steps 4·quad to 4·quad + 3, as far as it is not read step by step. */
  read(quad: string): void {
    const { along, position, perLane } = this.options
    if (along === 'inner')
      this.vectors = Array.from({ length: perLane }, (_, i) =>
        this.shader.let(`${this.shared}[(${position} + ${i * this.positions}) * ${this.stride} + ${quad}]`),
      )
  }

  /** Reads the lane's share of step 4·quad + k. */
  readStep(quad: string, k: number): void {
    const { along, position, perLane } = this.options
    if (along === 'outer')
      this.vectors = Array.from({ length: perLane / 4 }, (_, i) =>
        this.shader.let(
          `${this.shared}[(4 * ${quad} + ${k}) * ${this.stride} + ${position}${i > 0 ? ` + ${i * this.positions}` : ''}]`,
        ),
      )
  }

  /** Of step k, the lane's element `i`. */
  one(i: number, k: number): string {
    return this.options.along === 'inner'
      ? `${this.vectors[i]!}.${components[k]!}`
      : `${this.vectors[Math.floor(i / 4)]!}.${components[i % 4]!}`
  }

  /** Of step k, the lane's elements 4·group to 4·group + 3. */
  four(group: number, k: number): string {
    if (this.options.along === 'outer') return this.vectors[group]!
    const values = components.map((_, i) => this.one(4 * group + i, k))
    return `vec4<${this.options.element}>(${values.join(', ')})`
  }

  /** Which row (or column) of the result the lane's element `i` belongs to; `i` may be a name. */
  index(i: string | number): string {
    const { along, extent, tile, position } = this.options
    const { positions } = this
    if (along === 'inner')
      return outerAt(
        tile,
        extent,
        `${position} + ${typeof i === 'number' ? i * positions : `${i} * ${positions}`}`,
      )
    const [first, part] =
      typeof i === 'number'
        ? [(i - (i % 4)) * positions, i % 4]
        : [`(${i} >> 2u) * ${4 * positions}`, `(${i} & 3)`]
    return outerAt(tile, extent, `${position} * 4 + ${first} + ${part}`)
  }

  /** Lanes side by side along this side. */
  private get positions(): number {
    return this.options.extent / this.options.perLane
  }

  /** The rows of neighbours, and the vectors in them, that a lane fetches so many of. All sizes are powers of two. */
  private places(count: number): (readonly [row: string, quad: string])[] {
    const { along, extent, depth, lanes } = this.options
    const width = (along === 'inner' ? depth : extent) / 4
    const steps = Array.from({ length: count }, (_, i) => i * lanes)
    if (width > lanes) return steps.map((step) => [`${Math.floor(step / width)}`, `lane + ${step % width}`])
    const [row, quad] = [this.shader.let(`lane / ${width}`), this.shader.let(`lane % ${width}`)]
    return steps.map((step) => [step === 0 ? row : `${row} + ${step / width}`, quad])
  }
}

/** Position `at` in the tile of that number. */
const outerAt = (tile: string, extent: number, at: string): string =>
  tile === '0' ? at : `${tile} * ${extent} + ${at}`
