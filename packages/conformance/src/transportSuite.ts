// One suite for every transport: what a connection carries, how calls end, and that nothing is left waiting when one end is no more.
import { fixedSize, NDArray, ndarray } from '@shoal/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { flowSuite } from './transportFlow.ts'
import type { MakePair, Pair, SuiteConnection, SuiteMessage, TransportClaims } from './transportContract.ts'

const empty: SuiteMessage = { head: new Uint8Array(0), tensors: [] }
const soon = { deadlineMs: 20_000 }
const echo = async (message: SuiteMessage): Promise<SuiteMessage> => message
const never = (): Promise<never> => new Promise(() => {})
const text = (value: string): SuiteMessage => ({ ...empty, head: new TextEncoder().encode(value) })
const read = ({ head }: SuiteMessage): string => new TextDecoder().decode(head)

/** The error that a call ends with. */
const failure = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: Error) => `${error.name}: ${error.message}`,
  )

/**
 * Registers all that a transport must satisfy.
 * @param makePair connects two ends, for each test anew.
 */
export function transportSuite(
  name: string,
  makePair: MakePair,
  { chunks = true, mortal = true }: TransportClaims = {},
): void {
  describe(`transport ${name}`, () => {
    let pair: Pair
    let near: SuiteConnection
    let far: SuiteConnection
    beforeEach(async () => {
      pair = await makePair()
      near = pair.near
      far = pair.far
    })
    afterEach(async () => {
      await Promise.all([near.close(), far.close()])
      await pair.close?.()
    })

    it.each(samples())('carries %s', async (_, tensors) => {
      far.serve({ echo })
      const answer = await near.call('echo', { head: Uint8Array.of(1, 2, 255), tensors }, soon)
      expect([...answer.head]).toEqual([1, 2, 255])
      expect(answer.tensors.map(({ dtype, shape }) => ({ dtype, shape }))).toEqual(
        tensors.map(({ dtype, shape }) => ({ dtype, shape })),
      )
      answer.tensors.forEach(({ data }, i) => expect(data).toEqual(tensors[i]!.data))
    })

    it('carries 64 MiB into the memory that the caller gives', async () => {
      const words = new Int32Array(2 ** 24)
      for (let i = 0; i < words.length; i += 1021) words[i] = i ^ 0x5a5a5a5a
      far.serve({ pull: async () => ({ ...empty, tensors: [ndarray(words)] }) })
      const memory = new Int32Array(words.length)
      const answer = await near.call('pull', empty, { ...soon, into: () => new Uint8Array(memory.buffer) })
      expect(answer.tensors[0]!.data.length).toBe(words.length)
      expect((answer.tensors[0]!.data as Int32Array).buffer).toBe(memory.buffer)
      let wrong = 0
      for (let i = 0; i < words.length; i++) if (memory[i] !== words[i]) wrong++
      expect(wrong).toBe(0)
    })

    it('carries tensors from shared memory into shared memory', async () => {
      far.serve({ echo })
      const shared = (values: readonly number[]): Float32Array => {
        const memory = new Float32Array(new SharedArrayBuffer(4 * values.length))
        memory.set(values)
        return memory
      }
      const given = new NDArray('float32', [3], shared([1.5, -2, 3]))
      const memory = shared([0, 0, 0])
      const into = (): Uint8Array => new Uint8Array(memory.buffer)
      await near.call('echo', { ...empty, tensors: [given] }, { ...soon, into })
      expect([...memory]).toEqual([1.5, -2, 3])
    })

    it('fails a call whose memory does not fit, and that one alone', async () => {
      far.serve({ echo })
      const message = { ...empty, tensors: [ndarray([1, 2, 3])] }
      await expect(near.call('echo', message, { ...soon, into: () => new Uint8Array(8) })).rejects.toThrow(
        'into gave 8 bytes for a tensor of 12',
      )
      expect((await near.call('echo', message, soon)).tensors[0]!.numbers()).toEqual([1, 2, 3])
    })

    it('serves more calls at once than may be open, each with its own answer', async () => {
      const held: (() => void)[] = []
      far.serve({
        // Answers come in the opposite order of the calls, ten at a time.
        double: ({ tensors: [tensor] }) =>
          new Promise((resolve) => {
            held.unshift(() => resolve({ ...empty, tensors: [ndarray([2 * tensor!.number()])] }))
            if (held.length === 10) for (const answer of held.splice(0)) answer()
          }),
      })
      const answers = await Promise.all(
        Array.from({ length: 1200 }, (_, i) =>
          near.call('double', { ...empty, tensors: [ndarray([i])] }, soon),
        ),
      )
      expect(answers.map(({ tensors }) => tensors[0]!.number())).toEqual(
        Array.from({ length: 1200 }, (_, i) => 2 * i),
      )
    })

    it('withdraws hundreds of calls at once', async () => {
      const step = new AbortController()
      let serving = 0
      let aborted = 0
      const all = 500
      const done = Promise.withResolvers<void>()
      far.serve({
        echo,
        receive: (_, { signal }) => {
          signal.addEventListener('abort', () => ++aborted === all && done.resolve())
          if (++serving === all) step.abort(new Error('the step failed'))
          return never()
        },
      })
      const options = { ...soon, signal: step.signal }
      const calls = Array.from({ length: all }, () => failure(near.call('receive', empty, options)))
      const ends = new Set((await Promise.all(calls)).map((end) => end.split(':')[0]))
      await done.promise
      expect([...ends]).toEqual(['CancelledError'])
      expect(read(await near.call('echo', text('still there'), soon))).toBe('still there')
    })

    it('hands small calls over in the order in which they were made', async () => {
      const seen: string[] = []
      far.serve({ note: async (message) => (seen.push(read(message)), empty) })
      await Promise.all(['a', 'b', 'c', 'd', 'e'].map((letter) => near.call('note', text(letter), soon)))
      expect(seen.join('')).toBe('abcde')
    })

    it('carries calls both ways at once, and calls from within handlers', async () => {
      const big = { ...empty, tensors: [ndarray(new Float32Array(500_000).fill(3))] }
      near.serve({ echo, name: async () => text('near') })
      far.serve({ echo, ask: async () => text(`asked ${read(await far.call('name', empty, soon))}`) })
      const [one, other, asked] = await Promise.all([
        near.call('echo', big, soon),
        far.call('echo', big, soon),
        near.call('ask', empty, soon),
      ])
      expect([one.tensors[0]!.size, other.tensors[0]!.at(499_999), read(asked)]).toEqual([
        500_000,
        3,
        'asked near',
      ])
    })

    it('lets calls wait for the methods that they need', async () => {
      const answer = near.call('echo', text('early'), soon)
      await near.call('echo', empty, { deadlineMs: 1 }).catch(() => {})
      far.serve({ echo })
      expect(read(await answer)).toBe('early')
    })

    it('ends a withdrawn call on both sides', async () => {
      const aborted = Promise.withResolvers<string>()
      const control = new AbortController()
      far.serve({
        echo,
        wait: (_, { signal }) => {
          signal.addEventListener('abort', () => aborted.resolve((signal.reason as Error).name))
          control.abort(new Error('not needed'))
          return never()
        },
      })
      const call = near.call('wait', empty, { ...soon, signal: control.signal })
      await expect(call).rejects.toMatchObject({
        name: 'CancelledError',
        message: expect.stringMatching(/'wait'.*not needed/),
      })
      expect(await aborted.promise).toBe('CancelledError')
      await expect(near.call('wait', empty, { ...soon, signal: control.signal })).rejects.toMatchObject({
        name: 'CancelledError',
      })
      expect(read(await near.call('echo', text('still there'), soon))).toBe('still there')
    })

    it('ends a call at its deadline on both sides, and says which', async () => {
      const aborted = Promise.withResolvers<void>()
      far.serve({
        wait: (_, { signal }) => {
          signal.addEventListener('abort', () => aborted.resolve())
          return never()
        },
      })
      await expect(near.call('wait', empty, { deadlineMs: 50 })).rejects.toMatchObject({
        name: 'DeadlineError',
        message: expect.stringMatching(/'wait': no answer within 50 ms/),
      })
      await aborted.promise
    })

    it('tells the name and message of what a handler throws, and no more', async () => {
      far.serve({
        fail: async () => {
          throw new RangeError('too far')
        },
      })
      const error: unknown = await near.call('fail', empty, soon).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'RemoteError', remoteName: 'RangeError', remoteMessage: 'too far' })
      expect((error as Error).message).toMatch(/'fail': RangeError: too far$/)
      await expect(near.call('toString', empty, soon)).rejects.toMatchObject({
        name: 'RemoteError',
        remoteMessage: `there is no method 'toString'; there are fail`,
      })
    })

    it('fails what is under way when one side closes, and tells the other side why', async () => {
      const aborted = Promise.withResolvers<void>()
      const called = Promise.withResolvers<void>()
      far.serve({
        wait: (_, { signal }) => {
          signal.addEventListener('abort', () => aborted.resolve())
          called.resolve()
          return never()
        },
      })
      const call = near.call('wait', empty, soon)
      const failed = failure(call)
      await called.promise
      await far.close(new Error('going home'))
      expect(await failed).toMatch(/^ConnectionLostError: .*'wait'/)
      await aborted.promise
      expect((await near.closed)?.message).toMatch(/going home/)
      await expect(near.call('wait', empty, soon)).rejects.toMatchObject({ name: 'ConnectionLostError' })
      await expect(far.call('wait', empty, soon)).rejects.toMatchObject({ name: 'ClosedError' })
    })

    it('closes without a reason on both sides', async () => {
      await near.close()
      expect(await Promise.all([near.closed, far.closed])).toEqual([undefined, undefined])
    })

    if (mortal)
      it('fails what is under way when the peer dies in the middle of it', async () => {
        const dying = await makePair({ mortal: true })
        const large = ndarray(new Float32Array(2 ** 22))
        dying.far.serve({ wait: never, pull: async () => ({ ...empty, tensors: [large] }) })
        const into = (): Uint8Array => {
          dying.kill!()
          return new Uint8Array(large.bytes.length)
        }
        const waits = failure(dying.near.call('wait', empty, soon))
        const pull = failure(dying.near.call('pull', empty, { ...soon, into }))
        // Without chunks an answer comes whole or not at all.
        expect(await pull).toMatch(chunks ? /^ConnectionLostError/ : /^ConnectionLostError|^answered$/)
        expect(await waits).toMatch(/^ConnectionLostError/)
        expect(await dying.near.closed).toBeInstanceOf(Error)
        expect(await dying.far.closed).toBeInstanceOf(Error)
        await dying.close?.()
      })
  })
  if (chunks) flowSuite(name, makePair)
}

/** Tensors of every dtype, and of the shapes that are easily forgotten. */
function samples(): (readonly [string, readonly NDArray[]])[] {
  const shapes = [[], [0], [2, 0, 3], [3, 5]] as const
  const numbers = fixedSize.map((dtype) => {
    const tensors = shapes.map((shape) => {
      const size = shape.reduce((product: number, d) => product * d, 1)
      return ndarray(
        Int32Array.from({ length: size }, (_, i) => i % 2),
        'int32',
        shape,
      ).cast(dtype)
    })
    return [dtype, tensors] as const
  })
  const strings = ndarray(['', 'Grüße', '鯨', '\u0000'], 'string', [2, 2])
  const many = Array.from({ length: 300 }, (_, i) => ndarray(new Uint8Array(i % 7).fill(i)))
  return [
    ...numbers,
    ['int64 beyond 2^53', [ndarray([2n ** 63n - 1n, -(2n ** 63n)])]],
    ['NaN, infinities and -0', [ndarray(Float64Array.of(NaN, Infinity, -Infinity, -0))]],
    ['strings', [strings, ndarray([], 'string', [0])]],
    ['a part of a larger array', [ndarray(new Float32Array([1, 2, 3, 4]).subarray(1, 3))]],
    ['many small tensors', many],
    ['no tensor', []],
  ]
}
