// The agent in a process of its own that outlives this one.
import { spawn } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pause } from '@shoal/distributed/peers'
import type { AgentSettings } from '../config/config.ts'
import { CommandError, NoAgentError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { ownProgram } from './ownProgram.ts'

const patienceMs = 30_000
const lookEveryMs = 100

/** Starts an agent, and waits until it answers. Answers its process and the file that it writes to. @throws CommandError with what it said, where it does not. */
export async function startDetached(
  invocation: Invocation,
  folder: string,
  settings: AgentSettings,
): Promise<{ readonly pid: number; readonly log: string }> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const log = join(folder, 'agent.log')
  const file = await open(log, 'a', 0o600)
  const { size } = await file.stat()
  const { node, program } = ownProgram()
  const child = spawn(node, [...program, 'up', '--folder', folder, ...flagsOf(settings)], {
    detached: true,
    stdio: ['ignore', file.fd, file.fd],
    cwd: invocation.shell.cwd,
  })
  let ended: string | undefined
  child.once('exit', (code, signal) => (ended = `it ended with ${signal ?? code}`))
  child.once('error', (error) => (ended = error.message))
  child.unref()
  await file.close()
  const { clock } = invocation.shell
  const until = clock.now() + patienceMs
  for (;;) {
    if (ended === undefined && (await isThere(invocation, child.pid))) return { pid: child.pid!, log }
    if (ended !== undefined || clock.now() > until) {
      const wrote = (await readFile(log)).subarray(size).toString().trim()
      throw new CommandError(`the agent did not start: ${wrote || (ended ?? 'it does not answer')}`, {
        remedy: `all that it wrote: ${log}`,
      })
    }
    await pause(lookEveryMs, clock)
  }
}

async function isThere(invocation: Invocation, pid: number | undefined): Promise<boolean> {
  try {
    await using agent = await invocation.agent()
    return (await agent.status()).pid === pid
  } catch (error) {
    if (error instanceof NoAgentError) return false
    throw error
  }
}

function flagsOf({ peers = [], mdns, ...values }: AgentSettings): readonly string[] {
  return [
    ...Object.entries(values).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, `${value}`],
    ),
    ...peers.flatMap((peer) => ['--peer', peer]),
    ...(mdns === false ? ['--no-mdns'] : []),
  ]
}
