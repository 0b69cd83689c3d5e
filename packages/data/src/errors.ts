// The one error class of this package: bytes that are not what they should be, and where in which file.
import { ShoalError } from '@shoal/core'

/** Where in a file something was found. */
export interface DataPosition {
  /** The name of the file, where the bytes came from one. */
  readonly file?: string | undefined
  /** Bytes from the start of the (decompressed) file. */
  readonly offset?: number | undefined
  /** The line, counted from 1; text formats only. */
  readonly line?: number | undefined
}

/** Input that is truncated, corrupt, too large or of a kind that this package does not read. */
export class DataError extends ShoalError {
  override readonly name: string = 'DataError'
  /** The name of the file, where there is one. */
  readonly file: string | undefined
  /** Bytes from the start of the (decompressed) file to what is wrong. */
  readonly offset: number | undefined
  /** The line that is wrong, counted from 1; text formats only. */
  readonly line: number | undefined

  constructor(message: string, at: DataPosition & { readonly cause?: unknown } = {}) {
    super(`${describe(at)}${message}`, { cause: at.cause })
    this.file = at.file
    this.offset = at.offset
    this.line = at.line
  }
}

function describe({ file, offset, line }: DataPosition): string {
  const where = line === undefined ? (offset === undefined ? undefined : `byte ${offset}`) : `line ${line}`
  const parts = [file, where].filter((part) => part !== undefined)
  return parts.length === 0 ? '' : `${parts.join(', ')}: `
}
