// A device that is watched: what it gives out, and what is launched on it.
import type { Awaitable, BoundLaunch, Buffer, Device } from '@shoal/core'

/** What has been seen. */
export interface Meter {
  /** The device to use in place of the watched one. */
  readonly device: Device
  /** Bytes that were held at most since `begin`. */
  readonly peakBytes: () => number
  /** Forgets what was held for a while before: initial values on their way into variables. */
  readonly begin: () => void
  /** Kernels that have run, and the bytes of the buffers that each of them was bound to. */
  readonly launched: () => { readonly kernels: number; readonly bytes: number }
}

const bytesOf = ({ args }: BoundLaunch): number =>
  [...new Set(args)].reduce((sum, buffer) => sum + buffer.bytes, 0)

/** Watches a device that makes its launches one by `sequence`. */
export function metered(device: Device): Meter {
  let [held, peak, kernels, bytes] = [0, 0, 0, 0]
  const counting = (launches: readonly BoundLaunch[], go: () => void): (() => void) => {
    const sum = launches.reduce((total, launch) => total + bytesOf(launch), 0)
    return () => {
      kernels += launches.length
      bytes += sum
      go()
    }
  }
  const watched: Partial<Device> = {
    alloc(size) {
      const buffer = device.alloc(size)
      held += size
      peak = Math.max(peak, held)
      return buffer
    },
    free(buffer: Buffer) {
      held -= buffer.bytes
      device.free(buffer)
    },
    sequence(launches): Awaitable<() => void> {
      const ready = device.sequence!(launches)
      return ready instanceof Promise ? ready.then((go) => counting(launches, go)) : counting(launches, ready)
    },
    move(from, fromOffset, to, toOffset, size) {
      bytes += 2 * size
      device.move(from, fromOffset, to, toOffset, size)
    },
  }
  const proxy = new Proxy(device, {
    get(target, key) {
      if (Object.hasOwn(watched, key)) return Reflect.get(watched, key) as unknown
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
  return {
    device: proxy,
    peakBytes: () => peak,
    begin: () => void (peak = held),
    launched: () => ({ kernels, bytes }),
  }
}
