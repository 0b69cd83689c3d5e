import {
  ndarray,
  type NDArray,
  toBfloat16Bits,
  toFloat16Bits,
  fromBfloat16Bits,
  fromFloat16Bits,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../clock.ts'
import type { Message, WireType } from '../transport/contract.ts'
import { PeerConnection } from '../transport/connection.ts'
import { maxOpenCalls } from '../transport/link.ts'
import type { ByteStream, ByteStreamEvents } from './byteStream.ts'
import { decodeHeader, type FrameKind, type Header, headerBytes, putHeader } from './header.ts'
import { chunkBytes, earlyBytes, type FrameOptions, windowBytes } from './limits.ts'
import { FrameLink } from './link.ts'

/** Time that passes when it is told to. */
class ManualClock implements Clock {
  #time = 0
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>()
  now(): number {
    return this.#time
  }
  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#time + ms, action }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
  /** Lets time pass timer by timer; `late` lets all of it pass at once, as when the process was held up. */
  async pass(ms: number, { late = false } = {}): Promise<void> {
    const end = this.#time + ms
    if (late) this.#time = end
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#timers.delete(next)
      this.#time = Math.max(this.#time, next.at)
      next.action()
      await turn()
    }
    this.#time = end
  }
}

/** Lets everything that can happen by itself happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A stream in memory that hands over only what it is told to. */
class Wire implements ByteStream {
  readonly written: Uint8Array[] = []
  peer: Wire | undefined
  events: ByteStreamEvents | undefined
  /** Does a write fill it? */
  narrow = false
  over = false
  start(events: ByteStreamEvents): void {
    this.events = events
  }
  get queued(): number {
    return this.written.reduce((sum, { length }) => sum + length, 0)
  }
  write(parts: readonly Uint8Array[]): boolean {
    this.written.push(Uint8Array.from(Buffer.concat(parts)))
    return !this.narrow
  }
  /** Hands over what was written, in pieces of `size` bytes. */
  deliver(size = Infinity): Uint8Array {
    const bytes = Buffer.concat(this.written.splice(0))
    for (let at = 0; at < bytes.length; at += Math.min(size, bytes.length))
      this.peer?.events?.bytes(bytes.subarray(at, at + size))
    if (this.narrow) this.events!.drained()
    return bytes
  }
  end(): void {
    this.destroy()
  }
  destroy(): void {
    if (this.over) return
    this.over = true
    this.events!.ended()
  }
}

function makeWires(options: FrameOptions = {}, clock: Clock = new ManualClock()) {
  const [a, b] = [new Wire(), new Wire()]
  a.peer = b
  b.peer = a
  const identity = (node: string) => ({ cluster: '', node, role: '' })
  const near = new PeerConnection(new FrameLink(a, options, clock), identity('far'), clock)
  const far = new PeerConnection(new FrameLink(b, options, clock), identity('near'), clock)
  return { a, b, near, far, clock }
}

/** Delivers both ways until nothing moves. */
async function settle({ a, b }: { readonly a: Wire; readonly b: Wire }, size?: number): Promise<void> {
  do {
    a.deliver(size)
    b.deliver(size)
    await turn()
  } while (a.queued + b.queued > 0)
}

/** The frames in bytes that were written. */
function frames(bytes: Uint8Array): readonly Header[] {
  const found: Header[] = []
  for (let at = 0; at < bytes.length; ) {
    const header = decodeHeader(bytes.subarray(at, at + headerBytes))
    found.push(header)
    at += headerBytes + header.padding + header.length
  }
  return found
}

const deadlineMs = 60_000
const none = new Uint8Array(0)
const message = (...tensors: NDArray[]): Message => ({ head: none, tensors })
const bytesOf = (size: number): NDArray => ndarray(new Uint8Array(size))
const echo = async (given: Message): Promise<Message> => given
/** How a call ends. */
const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: Error) => error.name,
  )
/** A call whose end does not matter. */
const ignore = (call: Promise<unknown>): void => void call.catch(() => {})

describe('what leaves', () => {
  it('takes turns, chunk by chunk, and lets the urgent go first', async () => {
    const { a, b, near, far } = makeWires()
    b.narrow = true
    far.serve({ pull: async () => message(bytesOf(2 * chunkBytes)), echo })
    const sent: (readonly Header[])[] = []
    const step = async (): Promise<void> => {
      await turn()
      a.deliver()
      await turn()
      sent.push(frames(b.deliver()))
    }
    ignore(near.call('pull', message(), { deadlineMs }))
    ignore(near.call('pull', message(), { deadlineMs }))
    await step()
    await step()
    ignore(near.call('echo', message(bytesOf(8)), { deadlineMs, urgent: true }))
    for (let i = 0; i < 4; i++) await step()
    const story = sent.flat().map(({ kind, id }) => `${kind} ${id}`)
    expect(story).toEqual([
      'alive 0',
      'start 1',
      'chunk 1',
      'start 2',
      'chunk 2',
      'start 3',
      'chunk 3',
      'chunk 1',
      'chunk 2',
    ])
  })

  it('waits after the first bytes of a call for memory at the peer', async () => {
    const wires = makeWires({ servedBytes: 2 ** 20 })
    const release: (() => void)[] = []
    wires.far.serve({ hold: () => new Promise((resolve) => release.push(() => resolve(message()))) })
    const call = () => wires.near.call('hold', message(bytesOf(2 ** 20)), { deadlineMs })
    const calls = Promise.all([call(), call(), call()])
    await settle(wires)
    expect(release).toHaveLength(1)
    const frameBytes = 4096
    expect(wires.near.traffic().sent).toBeLessThan(2 ** 20 + 2 * earlyBytes + frameBytes)
    for (const released of [1, 2, 3]) {
      expect(release).toHaveLength(released)
      release.at(-1)!()
      await settle(wires)
    }
    await calls
  })

  it('frees what a call held that was withdrawn before anything was served', async () => {
    const wires = makeWires({ servedBytes: 2 ** 20 })
    const control = new AbortController()
    const given = message(bytesOf(2 ** 20))
    const withdrawn = outcome(wires.near.call('size', given, { deadlineMs, signal: control.signal }))
    await settle(wires)
    control.abort()
    expect(await withdrawn).toBe('CancelledError')
    const next = outcome(wires.near.call('size', given, { deadlineMs }))
    await settle(wires)
    const sizes: number[] = []
    wires.far.serve({ size: async ({ tensors: [tensor] }) => (sizes.push(tensor!.size), message()) })
    await settle(wires)
    expect([await next, sizes]).toEqual(['answered', [2 ** 20]])
  })

  it('waits at the caller while too many calls are open', async () => {
    const clock = new ManualClock()
    const wires = makeWires({}, clock)
    const release = Promise.withResolvers<Message>()
    let served = 0
    wires.far.serve({ hold: () => (served++, release.promise) })
    const calls = Promise.all(
      Array.from({ length: maxOpenCalls + 10 }, () => wires.near.call('hold', message(), { deadlineMs })),
    )
    await settle(wires)
    expect(served).toBe(maxOpenCalls)
    const late = wires.near.call('hold', message(), { deadlineMs: 10 })
    const end = late.catch((error: Error) => error.message)
    await clock.pass(10)
    expect(await end).toBe(`peer 'far', 'hold': no answer within 10 ms, behind ${maxOpenCalls} other calls`)
    release.resolve(message())
    await settle(wires)
    expect(await calls).toHaveLength(maxOpenCalls + 10)
  })

  it('has no more on its way than the window', async () => {
    const wires = makeWires()
    wires.far.serve({ pull: async () => message(bytesOf(4 * windowBytes)) })
    const pull = wires.near.call('pull', message(), { deadlineMs })
    await turn()
    wires.a.deliver()
    await turn()
    expect(wires.b.queued).toBeGreaterThanOrEqual(windowBytes)
    expect(wires.b.queued).toBeLessThan(windowBytes + chunkBytes)
    await settle(wires)
    expect((await pull).tensors[0]!.size).toBe(4 * windowBytes)
  })

  it('stops with a call that is withdrawn', async () => {
    const wires = makeWires()
    const control = new AbortController()
    wires.far.serve({ pull: async () => message(bytesOf(4 * windowBytes)), echo })
    const pull = wires.near.call('pull', message(), { deadlineMs, signal: control.signal })
    await turn()
    wires.a.deliver()
    await turn()
    control.abort()
    await expect(pull).rejects.toMatchObject({ name: 'CancelledError' })
    await settle(wires)
    expect(wires.far.traffic().sent).toBeLessThan(2 * windowBytes)
    const answer = wires.near.call('echo', message(ndarray([5])), { deadlineMs })
    await settle(wires)
    expect((await answer).tensors[0]!.number()).toBe(5)
  })

  it('is refused before it goes when it is too large', async () => {
    const { near } = makeWires({ headBytes: 10, tensors: 2, messageBytes: 100 })
    const refusal = (method: string, given: Message): Promise<string> =>
      near.call(method, given, { deadlineMs }).then(
        () => 'sent',
        (error: Error) => `${error.name}: ${error.message}`,
      )
    expect(await refusal('m', { head: new Uint8Array(11), tensors: [] })).toMatch(
      /LimitError.*'m'.*11 bytes, at most 10/,
    )
    expect(await refusal('m', message(bytesOf(1), bytesOf(1), bytesOf(1)))).toMatch(
      /LimitError.*3 tensors, at most 2/,
    )
    expect(await refusal('m', message(bytesOf(101)))).toMatch(/LimitError.*101 bytes, at most 100/)
    expect(await refusal('m'.repeat(257), message())).toMatch(/LimitError.*257 bytes, at most 256/)
  })
})

describe('what arrives', () => {
  it.each([1, 7, 4099])('is the same in pieces of %i bytes', async (size) => {
    const wires = makeWires({ checksums: true })
    wires.far.serve({ echo })
    const given = {
      head: Uint8Array.of(9, 8, 7),
      tensors: [ndarray([1.5, -2]), ndarray(['ab', 'ç']), ndarray([3n]), bytesOf(5000)],
    }
    const call = wires.near.call('echo', given, { deadlineMs })
    await settle(wires, size)
    const answer = await call
    expect([...answer.head]).toEqual([9, 8, 7])
    expect(answer.tensors.map(({ data }) => data)).toEqual(given.tensors.map(({ data }) => data))
  })

  it('is checked where that was asked for', async () => {
    const wires = makeWires({ checksums: true })
    wires.far.serve({ echo })
    const call = wires.near.call('echo', message(bytesOf(100)), { deadlineMs })
    await turn()
    const bytes = wires.a.written.at(-1)!
    bytes[bytes.length - 1]! ^= 1
    const failed = outcome(call)
    await settle(wires)
    expect(await wires.far.closed).toMatchObject({
      name: 'ProtocolError',
      message: expect.stringMatching(/call 1, was damaged/),
    })
    expect(await failed).toBe('ConnectionLostError')
  })

  it.each(['bfloat16', 'float16'] as const)(
    'was rounded to %s on its way, at half the bytes',
    async (wire: WireType) => {
      const wires = makeWires()
      wires.far.serve({ echo: async ({ tensors }) => ({ head: none, tensors, wire }) })
      const special = [
        NaN,
        Infinity,
        -Infinity,
        -0,
        1 + 2 ** -8,
        1 + 3 * 2 ** -8,
        65504,
        65519,
        3.4e38,
        1e-7,
        6e-8,
      ]
      const values = Float32Array.from(
        { length: 300_001 },
        (_, i) => special[i] ?? Math.sin(i) * 10 ** (i % 9),
      )
      // Three bytes before them: no chunk may cut a 16-bit word in two.
      const call = wires.near.call('echo', { ...message(bytesOf(3), ndarray(values)), wire }, { deadlineMs })
      await settle(wires)
      const round = (x: number): number =>
        wire === 'bfloat16' ? fromBfloat16Bits(toBfloat16Bits(x)) : fromFloat16Bits(toFloat16Bits(x))
      expect((await call).tensors[1]!.data).toEqual(values.map(round))
      expect(wires.near.traffic().sent).toBeLessThan(2 * values.length + 1000)
    },
  )

  /** A frame by hand. */
  const frame = (kind: FrameKind, body: ArrayLike<number> = [], more: Partial<Header> = {}): Uint8Array => {
    const bytes = new Uint8Array(headerBytes + body.length)
    const header = {
      kind,
      id: 1,
      answer: false,
      urgent: false,
      length: body.length,
      padding: 0,
      crc: undefined,
      ...more,
    }
    putHeader(bytes, header)
    bytes.set(body, headerBytes)
    return bytes
  }
  const start = (tensor: readonly number[], count = 1): number[] => [
    0,
    1,
    109,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    count,
    ...tensor,
  ]
  const u64 = (value: number): number[] => [...Buffer.from(value.toString(16).padStart(16, '0'), 'hex')]

  it.each<readonly [string, Uint8Array, RegExp]>([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /no frame begins with 47455420/],
    ['its first bytes', Buffer.from('GET '), /no frame begins with 47455420/],
    [
      'another version',
      Buffer.concat([Buffer.from('SHL\u0002'), new Uint8Array(16)]),
      /speaks version 2 .* version 1/,
    ],
    [
      'an unknown kind',
      Buffer.concat([Buffer.from('SHL\u0001\u0063'), new Uint8Array(15)]),
      /unknown kind 99/,
    ],
    ['a head beyond the limit', frame('start', [], { length: 2 ** 31 }), /'start' has 2147483648 bytes/],
    [
      'a long chunk',
      frame('chunk', [], { length: chunkBytes + 1 }),
      /'chunk' has 524289 bytes, at most 524288/,
    ],
    ['a body where there is none', frame('alive', [1]), /'alive' has 1 bytes, at most 0/],
    ['a start that ends early', frame('start', [0, 9, 109]), /begins with less than it says/],
    ['a start that goes on', frame('start', [...start([], 0), 5]), /begins with more than it says/],
    ['no dtype', frame('start', start([99, 0, 0, ...u64(4)])), /no dtype/],
    ['too many axes', frame('start', start([0, 0, 200])), /too many axes/],
    [
      'bytes against the shape',
      frame('start', start([0, 0, 1, ...u64(3), ...u64(8)])),
      /8 bytes of float32 is no float32 of 3/,
    ],
    [
      'more than a number holds',
      frame('start', start([0, 0, 1, ...u64(2 ** 60), ...u64(8)])),
      /beyond what a number holds/,
    ],
    [
      'more than memory',
      frame('start', start([5, 5, 1, ...u64(2 ** 40), ...u64(2 ** 40)])),
      /1099511627776 bytes, at most 1073741824/,
    ],
    [
      'a call that began',
      Buffer.concat([
        frame('start', start([5, 5, 0, ...u64(1)])),
        frame('start', start([5, 5, 0, ...u64(1)])),
      ]),
      /began twice/,
    ],
    [
      'more bytes than were said',
      Buffer.concat([frame('start', start([5, 5, 0, ...u64(1)])), frame('chunk', [1, 2])]),
      /more bytes than it said/,
    ],
    [
      'strings that are none',
      Buffer.concat([frame('start', start([11, 11, 0, ...u64(5)])), frame('chunk', [1, 0, 0, 0, 255])]),
      /not UTF-8/,
    ],
    [
      'strings that end early',
      Buffer.concat([frame('start', start([11, 11, 0, ...u64(4)])), frame('chunk', [1, 0, 0, 0])]),
      /ends before they do/,
    ],
    ['credit for nothing', frame('window', [], { id: 10 }), /took in more bytes than were sent/],
  ])('ends the connection when it is %s', async (_, bytes, wanted) => {
    const { b, far } = makeWires()
    far.serve({ m: echo })
    b.events!.bytes(bytes)
    expect(await far.closed).toMatchObject({ name: 'ProtocolError', message: expect.stringMatching(wanted) })
    // One farewell, that tells the peer why, and nothing else.
    expect(frames(Buffer.concat(b.written)).map(({ kind }) => kind)).toEqual(['alive', 'close'])
    expect(b.over).toBe(true)
  })

  it('ends the connection when a call does not wait to be let in', async () => {
    const { b, far } = makeWires({ servedBytes: 1 })
    far.serve({ m: () => new Promise(() => {}) })
    const big = start([5, 5, 1, ...u64(2 ** 20), ...u64(2 ** 20)])
    b.events!.bytes(frame('start', big))
    b.events!.bytes(frame('start', big, { id: 2 }))
    const chunk = frame('chunk', new Uint8Array(chunkBytes), { id: 2 })
    for (let i = 0; i < 3; i++) b.events!.bytes(chunk)
    expect(await far.closed).toMatchObject({
      name: 'ProtocolError',
      message: 'call 2 did not wait to be let in',
    })
  })

  it('ends the connection when calls are more than may be open', async () => {
    const { b, far } = makeWires()
    far.serve({ m: () => new Promise(() => {}) })
    for (let id = 1; id <= maxOpenCalls + 1; id++) b.events!.bytes(frame('start', start([], 0), { id }))
    expect(await far.closed).toMatchObject({
      name: 'ProtocolError',
      message: expect.stringMatching(/more than 4096 calls/),
    })
  })
})

describe('signs of life', () => {
  it('keep a quiet connection open', async () => {
    const clock = new ManualClock()
    const wires = makeWires({}, clock)
    for (let i = 0; i < 100; i++) {
      await clock.pass(300)
      await settle(wires)
    }
    wires.far.serve({ echo })
    const call = wires.near.call('echo', message(), { deadlineMs })
    await settle(wires)
    expect(await outcome(call)).toBe('answered')
  })

  it('tell within three seconds that a peer is dead', async () => {
    const clock = new ManualClock()
    const { near, a } = makeWires({}, clock)
    let end: Error | undefined
    void near.closed.then((reason) => (end = reason))
    const call = outcome(near.call('echo', message(), { deadlineMs }))
    await clock.pass(1500)
    expect(end).toBeUndefined()
    await clock.pass(1500)
    expect(end).toMatchObject({
      name: 'ConnectionLostError',
      message: expect.stringMatching(/no sign of life/),
    })
    expect(a.over).toBe(true)
    expect(await call).toBe('ConnectionLostError')
  })

  it('are not missed by a process that was held up itself', async () => {
    const clock = new ManualClock()
    const wires = makeWires({}, clock)
    await settle(wires)
    await clock.pass(60_000, { late: true })
    await settle(wires)
    let ended = false
    void wires.near.closed.then(() => (ended = true))
    await turn()
    expect(ended).toBe(false)
  })
})
