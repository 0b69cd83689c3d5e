// What a command has of the world: streams, the environment, time and Ctrl-C, handed over so that tests can give others.
import type { Clock } from '@shoal/distributed/peers'
import { canBecomeLight } from './light/original.ts'
import { Terminal } from './terminal/terminal.ts'

/** Signals within so many milliseconds are one. */
const onceMs = 150

/** What a command has of the world. */
export interface Shell {
  readonly out: Terminal
  readonly err: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder that relative paths begin at. */
  readonly cwd: string
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly today: () => number
  /** Numbers from 0 to 1, for pauses that are not those of others. */
  readonly random: () => number
  /** Calls the listener at each Ctrl-C, in place of ending the process, until what is returned is called. */
  readonly onInterrupt: (listener: () => void) => () => void
  /**
   * Goes on in this process as a program that does the same in less memory; comes back only where that cannot be. Undefined where this is that
   * program, or no process of its own.
   */
  readonly becomeLight?: () => Promise<void>
}

/** The world of this process. */
export function processShell(): Shell {
  // Whoever reads the output may stop reading: `shoal jobs | head`.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  return {
    out: new Terminal(process.stdout),
    err: new Terminal(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    clock: {
      now: () => performance.now(),
      after(ms, action) {
        const timer = setTimeout(action, ms)
        return () => clearTimeout(timer)
      },
    },
    today: Date.now,
    random: Math.random,
    ...(canBecomeLight() && {
      async becomeLight() {
        const { becomeLight } = await import('./light/become.ts')
        await becomeLight(process.env)
      },
    }),
    onInterrupt(listener) {
      let lastAt = -Infinity
      const heard = (): void => {
        const at = performance.now()
        // One Ctrl-C reaches a process more than once where those that started it pass it on; nobody types so quickly.
        if (at - lastAt < onceMs) return
        lastAt = at
        listener()
      }
      const signals = ['SIGINT', 'SIGTERM'] as const
      for (const signal of signals) process.on(signal, heard)
      return () => {
        for (const signal of signals) process.off(signal, heard)
      }
    },
  }
}
