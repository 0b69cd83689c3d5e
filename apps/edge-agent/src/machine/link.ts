// How good the way to another node is: a few small calls tell how long it is, a few large ones how wide.
import { ndarray } from '@shoal/core'
import {
  callMethod,
  type Clock,
  type Connection,
  type Handler,
  LimitError,
  method,
  nothing,
  serving,
  systemClock,
} from '@shoal/distributed/peers'
import type { LinkQuality } from './inventory.ts'

const ping = method('link.ping', nothing, nothing)
/** Takes one uint8 tensor, and forgets it. */
const fill = method('link.fill', nothing, nothing)

const pings = 5
const firstFillBytes = 2 ** 16
const mostFillBytes = 2 ** 22
/** A call that takes so much longer than a small one says enough about the bandwidth. */
const enoughMs = 50
/** Of each call: 64 KiB in that time are 50 kbit/s. */
const deadlineMs = 10_000
/** No clock tells less. */
const shortestMs = 0.01

/** What a node serves so that others can measure the way to it: entries of what `Connection.serve` takes. Needs no more than a connection. */
export const linkMethods: readonly (readonly [string, Handler])[] = [
  serving(ping, () => ({ says: {}, tensors: [] })),
  serving(fill, ({ tensors }) => {
    const [only] = tensors
    if (tensors.length !== 1 || only?.dtype !== 'uint8' || only.data.length > mostFillBytes)
      throw new LimitError(`'${fill.name}' takes one uint8 tensor of at most ${mostFillBytes} bytes`)
    return { says: {}, tensors: [] }
  }),
]

/** How to measure. */
export interface MeasureLinkOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: the system's. */
  readonly clock?: Clock
}

/**
 * Measures the way to a peer that serves `linkMethods`: the time there and back is the median of 5 urgent calls; the bandwidth is that of one uint8
 * tensor sent there, of 64 KiB and then twice as much each time, until one takes 50 ms more than that or has 4 MiB. What else is on the way counts.
 * @throws as `callMethod`; DeadlineError where a call takes more than 10 seconds.
 */
export async function measureLink(
  connection: Connection,
  { signal, clock = systemClock }: MeasureLinkOptions = {},
): Promise<LinkQuality> {
  const times: number[] = []
  for (let i = 0; i < pings; i++) {
    const start = clock.now()
    await callMethod(connection, ping, {}, { deadlineMs, signal, urgent: true })
    times.push(clock.now() - start)
  }
  const roundTripMs = times.toSorted((a, b) => a - b)[(pings - 1) / 2]!
  for (let bytes = firstFillBytes; ; bytes *= 2) {
    const tensors = [ndarray(new Uint8Array(bytes))]
    const start = clock.now()
    await callMethod(connection, fill, {}, { deadlineMs, signal, tensors })
    const ms = clock.now() - start - roundTripMs
    if (ms <= enoughMs && bytes < mostFillBytes) continue
    return { roundTripMs, bytesPerSecond: (bytes / Math.max(shortestMs, ms)) * 1000 }
  }
}
