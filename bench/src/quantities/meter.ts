// A device that is watched: how much memory it has given out at most.
import type { Buffer, Device } from '@shoal/core'

/** What has been seen. */
export interface Meter {
  /** The device to use in place of the watched one. */
  readonly device: Device
  /** Bytes that were held at most since `begin`. */
  readonly peakBytes: () => number
  /** Forgets what was held for a while before: initial values on their way into variables. */
  readonly begin: () => void
}

/** Watches a device. */
export function metered(device: Device): Meter {
  let held = 0
  let peak = 0
  const watched: Partial<Device> = {
    alloc(bytes) {
      const buffer = device.alloc(bytes)
      held += bytes
      peak = Math.max(peak, held)
      return buffer
    },
    free(buffer: Buffer) {
      held -= buffer.bytes
      device.free(buffer)
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
    begin() {
      peak = held
    },
  }
}
