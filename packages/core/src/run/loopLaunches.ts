// The launches of a body with its rows, states and results where they are in the surrounding program, so that a round copies nothing in or out.
import type { Tensor } from '../graph/graph.ts'
import { bytesOf } from '../compile/bytesOf.ts'
import type { Buffer, LoopLaunch, Moving } from './device.ts'
import type { Program } from './program.ts'

/** What a body makes in every round, and where it is wanted. */
export interface Delivery {
  readonly from: Tensor
  readonly to: Moving
}

/**
 * The launches of one round; undefined where something else has to run than launches.
 * @param lent the memory of the body's parameters, as it was compiled, with where it is in the loop.
 */
export function loopLaunches(
  { memory, steps }: Program,
  lent: ReadonlyMap<Buffer, Moving>,
  deliveries: readonly Delivery[],
): LoopLaunch[] | undefined {
  if (steps.some(({ run }) => run)) return undefined
  if (deliveries.some(({ from }) => memory.plan.storageOf(from).kind === 'host')) return undefined
  const moved = new Map<Buffer, Moving>(lent)
  const copied: Delivery[] = []
  for (const delivery of deliveries) {
    const { from, to } = delivery
    if (bytesOf(from) === 0) continue
    const made = memory.bufferOf(from)
    // A slot that holds nothing larger in between can be elsewhere in every round, but only in one place.
    const isOwn = memory.plan.storageOf(from).kind === 'slot' && made.bytes === bytesOf(from)
    if (isOwn && !moved.has(made)) moved.set(made, to)
    else copied.push(delivery)
  }
  const at = (buffer: Buffer): Buffer | Moving => moved.get(buffer) ?? buffer
  return [
    ...steps.flatMap(({ launches }) =>
      launches.map(({ kernel, args }): LoopLaunch => ({ kernel, args: args.map(at) })),
    ),
    ...copied.map(
      ({ from, to }): LoopLaunch => ({
        kernel: memory.device.copy(bytesOf(from)),
        args: [at(memory.bufferOf(from)), to],
      }),
    ),
  ]
}
