// Reads JSON that nobody vouches for: each method answers a value of the wanted kind or says where it is not one.
import type { DType } from '../dtype.ts'
import { dtypeNames, dtypes, isDType } from '../dtype.ts'
import { GraphDefError } from '../errors.ts'
import { fromBytes, NDArray } from '../ndarray.ts'
import type { Dim, TensorType } from '../shape.ts'
import { sizeOf } from '../shape.ts'
import { fromBase64 } from './base64.ts'

/** How much a GraphDef may hold. */
export interface GraphDefLimits {
  /** Nodes, those of bodies included. Default 1,000,000. */
  readonly maxNodes: number
  /** Bytes of all arrays together. Default 2³¹. */
  readonly maxBytes: number
  /** Bodies within bodies. Default 64. */
  readonly maxDepth: number
}
/** The limits that hold when none are given. */
export const defaultLimits: GraphDefLimits = { maxNodes: 1_000_000, maxBytes: 2 ** 31, maxDepth: 64 }

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>

/** A value and where it stands in the document. */
export class Place {
  readonly value: unknown
  readonly path: string
  constructor(value: unknown, path: string) {
    this.value = value
    this.path = path
  }
  /** An error about this place. */
  wrong(what: string, cause?: unknown): GraphDefError {
    return new GraphDefError(`${this.path === '' ? 'the document' : this.path} ${what}`, { cause })
  }
  /** A part of an object; its value is undefined when it is missing. */
  at(key: string): Place {
    return new Place(
      Object.hasOwn(this.object(), key) ? this.object()[key] : undefined,
      this.path === '' ? key : `${this.path}.${key}`,
    )
  }
  /** Is there anything here? */
  get present(): boolean {
    return this.value !== undefined
  }
  /** An object. */
  object(): JsonObject {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      throw this.wrong('must be an object')
    return this.value as JsonObject
  }
  /** The parts of a list. */
  list(): Place[] {
    if (!Array.isArray(this.value)) throw this.wrong('must be a list')
    return Array.from(this.value as readonly unknown[], (item, i) => new Place(item, `${this.path}[${i}]`))
  }
  /** A list, empty when it is missing. */
  optionalList(): Place[] {
    return this.present ? this.list() : []
  }
  /** A string. */
  text(): string {
    if (typeof this.value !== 'string') throw this.wrong('must be a string')
    return this.value
  }
  /** True or false. */
  bool(): boolean {
    if (typeof this.value !== 'boolean') throw this.wrong('must be true or false')
    return this.value
  }
  /** A number; infinities, NaN and -0 are spelled as strings. */
  number(): number {
    if (typeof this.value === 'number') return this.value
    const special: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity, '-0': -0 }
    if (typeof this.value === 'string' && Object.hasOwn(special, this.value)) return special[this.value]!
    throw this.wrong('must be a number')
  }
  /** A whole number not below `least`. */
  whole(least: number): number {
    const x = this.number()
    if (!Number.isSafeInteger(x) || x < least) throw this.wrong(`must be a whole number, at least ${least}`)
    return x
  }
  /** A dtype. */
  dtype(): DType {
    if (!isDType(this.value)) throw this.wrong(`must be one of ${dtypeNames.join(', ')}`)
    return this.value
  }
  /** A shape; sizes may be names or '?', or -1 where an op reads one so. */
  shape(): Dim[] {
    return this.list().map((d) => (typeof d.value === 'string' ? d.value : d.whole(-1)))
  }
  /** The type of a tensor. */
  type(): TensorType {
    return { dtype: this.at('dtype').dtype(), shape: this.at('shape').shape() }
  }
  /** An array; `charge` is told its bytes before they are decoded. */
  array(charge: (bytes: number, place: Place) => void): NDArray {
    const dtype = this.at('dtype').dtype()
    const shape = this.at('shape')
      .list()
      .map((d) => d.whole(0))
    if (dtype === 'string') {
      const strings = this.at('strings')
        .list()
        .map((item) => item.text())
      if (strings.length !== sizeOf(shape))
        throw this.wrong(`has ${strings.length} strings for shape [${shape}]`)
      charge(
        strings.reduce((sum, text) => sum + 2 * text.length, 0),
        this,
      )
      return new NDArray(dtype, shape, strings)
    }
    const base64 = this.at('base64').text()
    const expected = sizeOf(shape) * dtypes[dtype].bytes
    if (Math.floor(base64.length / 4) * 3 < expected || base64.length > Math.ceil(expected / 3) * 4)
      throw this.wrong(`must hold ${expected} bytes for ${dtype}[${shape}]`)
    charge(expected, this)
    const bytes = fromBase64(base64)
    if (!bytes || bytes.length !== expected)
      throw this.wrong(`must hold ${expected} bytes of base64 for ${dtype}[${shape}]`)
    return fromBytes(dtype, shape, bytes)
  }
}
