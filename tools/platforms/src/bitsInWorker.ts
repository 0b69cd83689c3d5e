// A worker of a page that computes the bits, with a thread of its own: there the calling thread may sleep, which a page may not.
import { bits } from './bits.ts'

const { postMessage } = globalThis as unknown as { postMessage(message: string): void }
postMessage(await bits(2))
