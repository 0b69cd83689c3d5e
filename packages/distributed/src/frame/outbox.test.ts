import { ndarray } from '@shoal/core'
import { expect, it } from 'vitest'
import type { ByteStream } from './byteStream.ts'
import { decodeHeader, headerBytes } from './header.ts'
import { defaultLimits } from './limits.ts'
import { Outbox } from './outbox.ts'

it('begins the bytes of large tensors at multiples of 64 in the stream', async () => {
  const written: Uint8Array[] = []
  const stream: ByteStream = {
    queued: 0,
    start: () => {},
    write: (parts) => written.push(...parts) > 0,
    end: () => {},
    destroy: () => {},
  }
  const outbox = new Outbox(stream, defaultLimits, {
    left: () => {},
    failed: (error) => {
      throw error
    },
  })
  for (const more of [0, 1, 63])
    outbox.add(
      true,
      1 + more,
      '',
      { head: new Uint8Array(more), tensors: [ndarray(new Uint8Array(8192 + more))] },
      false,
    )
  await Promise.resolve()
  const bytes = Buffer.concat(written)
  const places: number[] = []
  let at = 0
  while (at < bytes.length) {
    const { kind, padding, length } = decodeHeader(bytes, at)
    at += headerBytes + padding
    if (kind === 'chunk') places.push(at % 64)
    at += length
  }
  expect(places).toEqual([0, 0, 0])
  expect(outbox.sentBytes).toBe(bytes.length)
})
