// The few names of the web platform that core relies on: they exist in every browser and in Node, and nothing else may be used.

interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}
declare class AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
declare class TextEncoder {
  encode(text: string): Uint8Array
}
declare class TextDecoder {
  decode(bytes: Uint8Array): string
}
declare const performance: { now(): number }
interface MessagePort {
  onmessage: (() => void) | null
  postMessage(message: unknown): void
  close(): void
}
declare class MessageChannel {
  readonly port1: MessagePort
  readonly port2: MessagePort
}
declare function setTimeout(callback: () => void, ms: number): unknown
