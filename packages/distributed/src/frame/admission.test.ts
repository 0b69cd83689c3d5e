// How much of its calls a peer can make this end hold: both halves of a connection, without a stream between them.
import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../errors.ts'
import type { Message } from '../transport/contract.ts'
import { headerBytes, putHeader } from './header.ts'
import { Inbox } from './inbox.ts'
import { defaultLimits, earlyBytes, type FrameOptions, shortHeadBytes, tensorCostBytes } from './limits.ts'
import { Outbox } from './outbox.ts'
import { FrameReader } from './reader.ts'
import { encodeStart } from './start.ts'
import { leaving } from './wireForm.ts'

/** Everything that can happen by itself has happened. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What one end sends, and what comes of it at the other. */
function halves(options: FrameOptions) {
  const limits = { ...defaultLimits, ...options }
  const received = new Map<number, Message>()
  const admitted: number[] = []
  const refused: string[] = []
  const fail = (error: Error): void => {
    throw error
  }
  const inbox = new Inbox(limits, {
    received: (envelope) => {
      if (envelope.kind === 'call') received.set(envelope.id, envelope.message)
    },
    awaits: () => false,
    into: () => undefined,
    failed: (_, error) => fail(error),
    refused: (id, { name, message }) => refused.push(`${id} ${name}: ${message}`),
    admit: (id) => {
      admitted.push(id)
      outbox.admit(id)
    },
    takenIn: (bytes) => void outbox.takenIn(bytes),
    control: () => {},
  })
  const reader = new FrameReader(inbox)
  const stream = {
    queued: 0,
    start: () => {},
    write: (parts: readonly Uint8Array[]) => {
      for (const part of parts) reader.push(part)
      return true
    },
    end: () => {},
    destroy: () => {},
  }
  const outbox: Outbox = new Outbox(stream, limits, { left: () => {}, failed: fail })
  const call = (id: number, message: Message): void => outbox.add(false, id, 'm', message, false)
  return { inbox, outbox, reader, limits, received, admitted, refused, call }
}

const patterned = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (i * 7) % 251)
const ofHead = (size: number): Message => ({ head: patterned(size), tensors: [] })
/** A frame by hand: the start of a call. */
function startOf(id: number, message: Message): Uint8Array {
  const tensors = message.tensors.map((tensor) => leaving(tensor).type)
  const bytes = encodeStart({ method: 'm', head: message.head, tensors }, defaultLimits, headerBytes)
  const length = bytes.length - headerBytes
  putHeader(bytes, { kind: 'start', id, answer: false, urgent: false, length, padding: 0, crc: undefined })
  return bytes
}
function chunkOf(id: number, size: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes + size)
  putHeader(bytes, {
    kind: 'chunk',
    id,
    answer: false,
    urgent: false,
    length: size,
    padding: 0,
    crc: undefined,
  })
  return bytes
}

describe('heads', () => {
  it.each([0, shortHeadBytes, shortHeadBytes + 1, earlyBytes, 2 ** 20])(
    'of %i bytes come whole, before tensors of any kind',
    async (size) => {
      const { call, received } = halves({})
      const tensors = [ndarray(new Float32Array(0)), ndarray(['ab', 'ç']), ndarray(patterned(100_000))]
      call(1, { head: patterned(size), tensors })
      await turn()
      expect(Buffer.compare(received.get(1)!.head, patterned(size))).toBe(0)
      expect(received.get(1)!.tensors.map(({ data }) => data)).toEqual(tensors.map(({ data }) => data))
    },
  )

  it('wait at the peer until there is memory for them, in turns', async () => {
    const { call, received, inbox, outbox } = halves({ servedBytes: 2 ** 20 })
    const size = 2 ** 18
    for (let id = 1; id <= 8; id++) call(id, ofHead(size))
    await turn()
    // Four heads of a quarter, and a few bytes more each, are more than all.
    expect([...received.keys()]).toEqual([1, 2, 3])
    expect(outbox.sentBytes).toBeLessThan(3 * size + 5 * earlyBytes + 4096)
    for (let id = 1; id <= 5; id++) {
      inbox.release(id)
      await turn()
      expect(received.size).toBe(3 + id)
    }
  })

  it('cannot be held by the thousand with one byte to come', () => {
    const { reader, admitted, received } = halves({ servedBytes: 2 ** 28 })
    const message = { head: patterned(2 ** 20), tensors: [ndarray(new Uint8Array(1))] }
    for (let id = 1; id <= 1000; id++) reader.push(startOf(id, message))
    expect(admitted).toHaveLength(255)
    expect(received.size).toBe(0)
    reader.push(chunkOf(256, 2 ** 15))
    expect(() => reader.push(chunkOf(256, 2 ** 15))).toThrow(ProtocolError)
  })

  it('are let in when they are alone, however small the memory is', async () => {
    const { call, received, inbox } = halves({ servedBytes: 1 })
    call(1, ofHead(2 ** 20))
    call(2, ofHead(2 ** 20))
    await turn()
    expect([...received.keys()]).toEqual([1])
    inbox.release(1)
    await turn()
    expect([...received.keys()]).toEqual([1, 2])
  })

  it('of small calls never wait', async () => {
    const { call, received } = halves({ servedBytes: 1 })
    call(1, { head: patterned(8), tensors: [ndarray(new Uint8Array(2 ** 20))] })
    call(2, { head: patterned(8), tensors: [ndarray(new Uint8Array(2 ** 20))] })
    for (let id = 3; id < 100; id++) call(id, ofHead(earlyBytes - 100))
    await turn()
    expect(received.size).toBe(98)
    expect(received.has(2)).toBe(false)
  })
})

describe('tensors by the thousand', () => {
  const many: Message = { head: patterned(0), tensors: Array.from({ length: 4000 }, () => ndarray([1])) }
  const cost = 4000 * tensorCostBytes

  it('count what it takes to keep track of them', async () => {
    const { call, received, inbox } = halves({ servedBytes: 2.5 * cost })
    for (const id of [1, 2, 3]) call(id, many)
    await turn()
    expect([...received.keys()]).toEqual([1, 2])
    inbox.release(2)
    await turn()
    expect(received.get(3)!.tensors).toHaveLength(4000)
  })

  it('are refused where too many of them wait already, and that call alone', async () => {
    const { call, received, refused, inbox } = halves({ servedBytes: 2.5 * cost })
    for (const id of [1, 2, 3, 4, 5]) call(id, many)
    await turn()
    expect(refused).toEqual([
      expect.stringMatching(/^5 LimitError: \d+ bytes describe the tensors of calls that wait/),
    ])
    inbox.drop(false, 3)
    call(6, many)
    await turn()
    expect(refused).toHaveLength(1)
    for (const id of [1, 2, 4]) inbox.release(id)
    await turn()
    expect([...received.keys()]).toEqual([1, 2, 4, 6])
  })
})
