// The command in a test: within this process with a shell of the test's own, or as the process that people start.
import { spawn } from 'node:child_process'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { run } from '../run.ts'
import { processShell, type Shell } from '../shell.ts'
import { type Screen, Terminal } from '../terminal/terminal.ts'

/** A stream that remembers what was written. */
export function screen(
  size: { readonly columns?: number; readonly rows?: number; readonly isTTY?: boolean } = {},
): Screen & {
  text(): string
} {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  return Object.assign(stream, { isTTY: false, ...size, text: () => chunks.join('') })
}

/** A shell of a test's own: no colours, no terminal, an empty environment, and 20 November 2026 for ever. */
export function testShell(changes: Partial<Shell> = {}) {
  const out = screen()
  const err = screen()
  const listeners = new Set<() => void>()
  const shell: Shell = {
    out: new Terminal(out),
    err: new Terminal(err),
    env: {},
    cwd: '/',
    clock: processClock,
    today: () => Date.UTC(2026, 10, 20),
    random: () => 0.5,
    onInterrupt(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    ...changes,
  }
  return {
    shell,
    /** What was written so far. */
    text: {
      get out() {
        return out.text()
      },
      get err() {
        return err.text()
      },
    },
    /** Ctrl-C. */
    interrupt: () => listeners.forEach((listener) => listener()),
    /** Runs a command to its end. */
    async run(...args: readonly string[]) {
      const code = await run(args, shell)
      return { code, out: stripVTControlCharacters(out.text()), err: stripVTControlCharacters(err.text()) }
    },
  }
}

const { clock: processClock } = processShell()

/** The command as a process of its own, whose output is no terminal. */
export function startShoal(
  args: readonly string[],
  options: {
    readonly cwd?: string
    readonly env?: Readonly<Record<string, string>>
    /** The command line by which another one is run elsewhere. Default: here. */
    readonly elsewhere?: (...command: readonly string[]) => readonly [string, ...string[]]
  } = {},
) {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  const { elsewhere = (node: string, ...rest: readonly string[]) => [node, ...rest] as const } = options
  const [command, ...given] = elsewhere(process.execPath, '--conditions=@shoal/source', main, ...args)
  const child = spawn(command, given, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd ?? '/',
    env: { PATH: process.env['PATH'], ...options.env },
  })
  let [out, err] = ['', '']
  const waiting = new Set<() => void>()
  const take = (add: (text: string) => void) => (chunk: Buffer) => {
    add(String(chunk))
    for (const look of waiting) look()
  }
  child.stdout.on(
    'data',
    take((text) => (out += text)),
  )
  child.stderr.on(
    'data',
    take((text) => (err += text)),
  )
  const ended = new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>(
    (resolve) => child.once('close', (code) => resolve({ code, out, err })),
  )
  return {
    ended,
    signal: (name: NodeJS.Signals) => child.kill(name),
    /** Waits until this was written to either stream. */
    wrote: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const look = (): void => {
          if (out.includes(text) || err.includes(text)) resolve()
        }
        waiting.add(look)
        look()
        void ended.then(() => reject(new Error(`it ended without writing '${text}': ${out}${err}`)))
      }),
  }
}
