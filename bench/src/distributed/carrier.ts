// A way of carrying bytes between two processes, as both of its ends know it: one fetches and sends, the far one answers.
import type { NodeCredentials } from '@shoal/distributed/node'

/** How the two ends are linked: in clear on this machine, under mutual TLS 1.3, or as threads of one process. */
export type Link = 'clear' | 'TLS' | 'threads'

/** What a connection can be asked for. */
export interface Caller {
  /** Fetches so many bytes; they come to lie in memory of the caller. */
  pull(bytes: number): Promise<void>
  /** Brings so many bytes to the far end. */
  push(bytes: number): Promise<void>
  /** 100 bytes there, and 100 back. */
  echo(): Promise<void>
  close(): Promise<void>
}

/** One way of carrying bytes. */
export interface Carrier {
  readonly name: string
  readonly version: string
  readonly link: Link
  /** Starts the far end; answers with its address, and what ends it. Ends that are threads start with the connection. */
  serve?(credentials: NodeCredentials): Promise<Served>
  connect(address: string, credentials: NodeCredentials): Promise<Caller>
}

/** A far end. */
export interface Served {
  readonly address: string
  /** Bytes that wait in this process to be written out. */
  queued?(): number
}

/** The bytes of an echo. */
export const echoBytes = 100

let source = new Uint8Array(0)
let target = new Uint8Array(0)

/** Bytes to be sent. They were written, since pages that never were are one page, which costs less than others to read. */
export function sourceBytes(length: number): Uint8Array {
  if (source.length < length) source = new Uint8Array(length).fill(1)
  return source.subarray(0, length)
}

/** Memory of this process that bytes are brought to. Its pages are there before anything is measured. */
export function targetBytes(length: number): Uint8Array {
  if (target.length < length) target = new Uint8Array(length).fill(2)
  return target.subarray(0, length)
}

/** Every end is on this machine. */
export const host = '127.0.0.1'
