// One line at the beginning of a socket, before whatever follows it is somebody else's to read.
import type { Clock } from '@shoal/distributed/peers'
import type { Socket } from 'node:net'
import { StreamError } from './errors.ts'

/** How much, and how long. */
export interface LineOptions {
  readonly maxBytes: number
  readonly deadlineMs: number
  readonly clock: Clock
}

const lineFeed = 10

/**
 * Reads up to the first line feed. The socket is paused then, and what came after the line is still to be read from it.
 * @throws StreamError where there is no line in time or within so many bytes; the socket is destroyed then.
 */
export function readLine(socket: Socket, { maxBytes, deadlineMs, clock }: LineOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const done = (): void => {
      disarm()
      socket.off('data', take).off('close', closed).off('end', closed).pause()
    }
    const fail = (why: string): void => {
      done()
      socket.destroy()
      reject(new StreamError(why))
    }
    const closed = (): void => fail('the other node has closed it before it said what it is')
    const disarm = clock.after(deadlineMs, () => fail(`the other node said nothing within ${deadlineMs} ms`))
    const take = (bytes: Buffer): void => {
      parts.push(bytes)
      const all = Buffer.concat(parts)
      const end = all.indexOf(lineFeed)
      if (end > maxBytes || (end < 0 && all.length > maxBytes))
        return fail(`the other node said more than ${maxBytes} bytes in one line`)
      if (end < 0) return
      done()
      if (end + 1 < all.length) socket.unshift(all.subarray(end + 1))
      resolve(all.toString('utf8', 0, end))
    }
    socket.on('data', take).on('close', closed).on('end', closed).resume()
  })
}
