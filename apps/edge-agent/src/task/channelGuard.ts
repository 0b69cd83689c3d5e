// Sockets go to a task over the channel that Node has for it. Node trusts the child there: it keeps a message of any length in memory until it is
// whole, and what is malformed is thrown where nobody can catch it, which would end the agent. So the channel is watched from below.
import { asError } from '@shoal/distributed/peers'
import type { ChildProcess } from 'node:child_process'
import { LaunchError } from './errors.ts'

/** The bytes that a task may send for each socket that it gets: Node acknowledges each in about 40. */
const bytesForEach = 1024

/** The part of Node's own channel that is watched. */
interface Channel {
  onread: (this: unknown, bytes: ArrayBuffer | undefined) => void
}

/** Watches what a child says on its channel, where it has nothing to say but that it has got its sockets. */
export class ChannelGuard {
  #allowance = bytesForEach
  #misused = false

  /**
   * @param misused is told once, of the first thing that is wrong; nothing is read after it.
   * @throws LaunchError where this version of Node keeps the channel elsewhere.
   */
  constructor(child: ChildProcess, misused: (error: Error) => void) {
    const key = Object.getOwnPropertySymbols(child).find(
      ({ description }) => description === 'kChannelHandle',
    )
    const channel = key && (child as unknown as Record<symbol, Channel | undefined>)[key]
    const [internal, ...others] = child.listeners('internalMessage')
    if (!channel || !internal || others.length > 0)
      throw new LaunchError(`tasks cannot be watched under Node ${process.versions.node}: use Node 26.10`)

    const read = channel.onread
    const guarded = (action: () => void): void => {
      try {
        if (!this.#misused) action()
      } catch (thrown) {
        this.#misused = true
        misused(asError(thrown))
      }
    }
    const { refuse } = this
    channel.onread = (bytes) => {
      // The end is always told: the process is gone only when its channel is.
      if (!bytes) return read.call(channel, bytes)
      guarded(() => {
        this.#allowance -= bytes.byteLength
        if (this.#allowance < 0) refuse()
        read.call(channel, bytes)
      })
    }
    child.removeAllListeners('internalMessage')
    child.on('internalMessage', (...said) => guarded(() => void internal.apply(child, said)))
    child.on('message', () => guarded(refuse))
  }

  /** A socket is handed over now: the child may say so. */
  allow(): void {
    this.#allowance += bytesForEach
  }

  readonly refuse = (): never => {
    throw new Error('it speaks on the channel on which it is handed its streams')
  }
}
