// What members tell each other besides tensors: small records as JSON, read back with suspicion.
import { ProtocolError } from '../errors.ts'

/** The value of a field. */
export type HeadValue = string | number | boolean | readonly string[]

/** A record as the head of a message. */
export const encodeHead = (fields: Readonly<Record<string, HeadValue>>): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(fields))

/**
 * A record as the head of a message of which there are many: values alone, in the order of `names`, up to the first that the record does not have.
 * In such a message the names would be a percent of what goes over a wire.
 */
export function encodeRow(
  fields: Readonly<Record<string, HeadValue | undefined>>,
  names: readonly string[],
): Uint8Array {
  const end = names.findIndex((name) => fields[name] === undefined)
  const present = end < 0 ? names : names.slice(0, end)
  return new TextEncoder().encode(JSON.stringify(present.map((name) => fields[name])))
}

/** The head of a message as a record whose fields are asked for by type. */
export class Head {
  readonly #fields: Readonly<Record<string, unknown>>

  /** @param names of the values, where the head is a row. @throws ProtocolError for bytes that are no record, or no row. */
  constructor(bytes: Uint8Array, names?: readonly string[]) {
    const fields = readObject(bytes)
    if (Array.isArray(fields) !== (names !== undefined))
      throw new ProtocolError('a message among members is no record')
    this.#fields = names
      ? named(fields as readonly unknown[], names)
      : (fields as Readonly<Record<string, unknown>>)
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

const named = (values: readonly unknown[], names: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(names.slice(0, values.length).map((name, i) => [name, values[i]]))

function readObject(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof value === 'object' && value !== null) return value
  } catch (cause) {
    throw new ProtocolError('a message among members is not readable', { cause })
  }
  throw new ProtocolError('a message among members is no record')
}
