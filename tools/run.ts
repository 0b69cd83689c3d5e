// One child process as a question with an answer: what it printed and how it ended. Nothing it started outlives it.
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { root } from './workspace.ts'

/** How a child process ended. `output` is standard output and error as they came. */
export interface Ended {
  readonly ok: boolean
  readonly output: string
  readonly seconds: number
}

/** Where and how long a child process may run. Defaults: the root of the workspace, five minutes. */
export interface RunOptions {
  readonly cwd?: string
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
}

const groups = new Set<number>()

function endGroup(pid: number): void {
  groups.delete(pid)
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // ESRCH: the whole group is gone already, which is what is wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function endAll(): void {
  for (const pid of groups) endGroup(pid)
}

process.on('exit', endAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143))
}

/** Programs that are started again and again load twice as fast when what was compiled for one of them is kept for the next. */
const compiled = join(root, 'node_modules', '.cache', 'compiled')

function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...own } = process.env
  const path = join(root, 'node_modules', '.bin') + delimiter + own.PATH
  const quiet = { NO_COLOR: '1', CI: 'true', TURBO_TELEMETRY_DISABLED: '1' }
  return { ...own, ...quiet, NODE_COMPILE_CACHE: compiled, ...extra, PATH: path }
}

/** Runs `command` with the workspace's own tools first on the path, in a process group that ends with it. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const { cwd = root, timeoutMs = 300_000, env = {} } = options
  const started = performance.now()
  const child = spawn(command, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(env),
  })
  const { pid } = child
  if (pid !== undefined) groups.add(pid)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const ok = await new Promise<boolean>((resolve) => {
    let good = false
    const late = setTimeout(() => {
      output += `\nStopped: '${command}' was still running after ${timeoutMs / 1000} s.\n`
      if (pid !== undefined) endGroup(pid)
    }, timeoutMs)
    child.on('error', (error) => {
      clearTimeout(late)
      output += `${error.message}\n`
      resolve(false)
    })
    child.on('exit', (code) => {
      clearTimeout(late)
      good = code === 0
      // Ends what the child left behind, so that the pipes close.
      if (pid !== undefined) endGroup(pid)
    })
    child.on('close', () => resolve(good))
  })
  return { ok, output, seconds: (performance.now() - started) / 1000 }
}
