// What a step is to take, as closed formulas: written before anything was measured, so that a difference is something to understand.
import type { Setting } from './setting.ts'
import {
  bucketBytesFor,
  computeMs,
  latencyMs,
  layers,
  localSteps,
  modelBytes,
  serversFor,
} from './setting.ts'

/** One product of three for each layer, but for the first, which has two. */
const forwardMs = (computeMs * layers) / (3 * layers - 1)
const backwardMs = computeMs - forwardMs

/** Two things that follow each other part by part, each part of the second after that of the first: the longer one, and a part of the other. */
const pipelined = (firstMs: number, thenMs: number, parts: number): number =>
  Math.max(firstMs + thenMs / parts, firstMs / parts + thenMs)

const transferMs = (bytes: number, { bytesPerSecond }: Setting): number => (1000 * bytes) / bytesPerSecond

/**
 * Milliseconds of a step. With n workers, p servers, B bytes of parameters, bandwidth b, latency a, F and R for the passes forward and back:
 *
 * - At servers, synchronously: all workers fetch at once, which is n / p · B / b at each server, while the layers that are there compute; then all
 *   bring gradients at once, while the others are computed. A server has so many parts of that as it has layers. Eight messages follow one another.
 * - Asynchronously: the server's way out is busy for n / p · B / b in the time in which all make a step, and so is its way in; a single worker takes as
 *   long as a synchronous one that is alone at its servers. The longer of the two.
 * - In a ring: each bucket of N goes round after the layers that it is of, all of them together 2 (n − 1) / n · B / b, plus the latency of the last one's
 *   2 (n − 1) messages, plus the agreement up and down a tree. 16 bits are half of B.
 * - Local SGD: the same once in so many steps, in one bucket of 16 bits, with nothing to overlap.
 */
export function predictedMs(setting: Setting): number {
  const { strategy, workers } = setting
  switch (strategy) {
    case 'ps-sync':
      return atServersMs(setting, workers / serversFor(workers))
    case 'ps-async': {
      const share = workers / serversFor(workers)
      return Math.max(share * transferMs(modelBytes, setting), atServersMs(setting, 1))
    }
    case 'ring':
      return inRingMs(setting, modelBytes)
    case 'ring-16bit':
      return inRingMs(setting, modelBytes / 2)
    case 'local-sgd':
      return computeMs + aroundMs(setting, modelBytes / 2) / localSteps
    default:
      return strategy satisfies never
  }
}

/** Of what `share` workers fetch from one server and bring to it. */
function atServersMs(setting: Setting, share: number): number {
  const moving = share * transferMs(modelBytes, setting)
  const parts = Math.max(1, layers / serversFor(setting.workers))
  return pipelined(moving, forwardMs, parts) + pipelined(backwardMs, moving, parts) + 8 * latencyMs
}

function inRingMs(setting: Setting, bytes: number): number {
  const { workers, bucketBytes = bucketBytesFor(workers) } = setting
  if (workers === 1) return computeMs
  const buckets = modelBytes / bucketBytes
  const moving = (2 * (workers - 1) * transferMs(bytes, setting)) / workers
  return forwardMs + pipelined(backwardMs, moving, buckets) + waitingMs(workers)
}

/** One exchange by itself. */
const aroundMs = (setting: Setting, bytes: number): number =>
  (2 * (setting.workers - 1) * transferMs(bytes, setting)) / setting.workers + waitingMs(setting.workers)

/** The latencies that nothing hides: those of a ring, and of the agreement after it. */
const waitingMs = (workers: number): number =>
  2 * (workers - 1) * latencyMs + 2 * Math.floor(Math.log2(workers)) * latencyMs

/** Bytes that a worker sends in a step, headers aside. */
export function predictedBytes({ strategy, workers }: Setting): number {
  const ring = (2 * (workers - 1) * modelBytes) / workers
  switch (strategy) {
    case 'ps-sync':
    case 'ps-async':
      return modelBytes
    case 'ring':
      return ring
    case 'ring-16bit':
      return ring / 2
    case 'local-sgd':
      return ring / 2 / localSteps
    default:
      return strategy satisfies never
  }
}
