// What members tell each other besides tensors: small records as JSON, read back with suspicion.
import { ProtocolError } from '../errors.ts'

/** The value of a field. */
export type HeadValue = string | number | boolean | readonly string[]

/** A record as the head of a message. */
export const encodeHead = (fields: Readonly<Record<string, HeadValue>>): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(fields))

/** The head of a message as a record whose fields are asked for by type. */
export class Head {
  readonly #fields: Readonly<Record<string, unknown>>

  /** @throws ProtocolError for bytes that are no record. */
  constructor(bytes: Uint8Array) {
    this.#fields = readRecord(bytes)
  }

  /** Is there such a field? */
  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name)
  }
  /** A whole number from 0. @throws ProtocolError. */
  whole(name: string): number {
    return this.#read(
      name,
      'a whole number',
      (value) => Number.isSafeInteger(value) && (value as number) >= 0,
    )
  }
  /** @throws ProtocolError. */
  text(name: string): string {
    return this.#read(name, 'a text', (value) => typeof value === 'string')
  }
  /** @throws ProtocolError. */
  flag(name: string): boolean {
    return this.#read(name, 'true or false', (value) => typeof value === 'boolean')
  }
  /** @throws ProtocolError. */
  texts(name: string): readonly string[] {
    const isText = (value: unknown): boolean => typeof value === 'string'
    return this.#read(name, 'a list of texts', (value) => Array.isArray(value) && value.every(isText))
  }

  #read<T>(name: string, wanted: string, fits: (value: unknown) => boolean): T {
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
    if (!fits(value)) throw new ProtocolError(`a message among members has no '${name}' that is ${wanted}`)
    return value as T
  }
}

function readRecord(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new ProtocolError('a message among members is not readable', { cause })
  }
  throw new ProtocolError('a message among members is no record')
}
