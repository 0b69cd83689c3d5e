// A device seen from outside: every buffer that is handed out is counted until it comes back.
import type { Buffer, Device } from '@shoal/core'

/** A device and what it holds. */
export interface Watched {
  readonly device: Device
  /** Buffers that were allocated and not freed. */
  held(): number
}

/**
 * Wraps a device. Whatever else it has is passed on as it is, except its disposal: sessions dispose of their devices, a suite goes on with its own.
 * @throws Error from `free`, when a buffer is freed that the device does not hold.
 */
export function watch(inner: Device): Watched {
  const live = new Set<Buffer>()
  const watched: Partial<Device> = {
    [Symbol.asyncDispose]: () => Promise.resolve(),
    alloc(bytes) {
      const buffer = inner.alloc(bytes)
      live.add(buffer)
      return buffer
    },
    free(buffer) {
      if (!live.delete(buffer))
        throw new Error('a buffer was freed that is not held: freed twice, or never allocated here')
      inner.free(buffer)
    },
  }
  const device = new Proxy(inner, {
    get(target, key) {
      if (Object.hasOwn(watched, key)) return watched[key as keyof Device]
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { device, held: () => live.size }
}
