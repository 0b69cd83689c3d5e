// A cluster of processes on this machine: an address, a certificate and a place in TF_CONFIG for each task.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ClusterAuthority } from '@shoal/distributed/node'
import { freeAddresses } from '@shoal/example-parts/addresses'

/** How many tasks each job has. */
export type Jobs = Readonly<Record<string, number>>

/** What is to be started. */
export interface LaunchOptions {
  readonly jobs: Jobs
  /** The program that every task runs. */
  readonly program: string
  readonly args: readonly string[]
  /** Tasks of these jobs run until the others have ended. */
  readonly serving: readonly string[]
  /** Gets every line that a task prints. */
  readonly heard: (task: string, line: string) => void
}

/**
 * Starts a process for each task and waits until those have ended that do not serve; then the rest is asked to end.
 * @throws Error naming the task that failed; all others are ended.
 */
export async function launch({ jobs, program, args, serving, heard }: LaunchOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-cluster-'))
  const started: ChildProcess[] = []
  try {
    const tasks = Object.entries(jobs).flatMap(([job, count]) =>
      Array.from({ length: count }, (_, task) => ({ job, task })),
    )
    const addresses = await freeAddresses(tasks.length)
    const cluster: Record<string, string[]> = {}
    tasks.forEach(({ job }, i) => (cluster[job] ??= []).push(addresses[i]!))
    const authority = await ClusterAuthority.create()
    const ended = tasks.map(async ({ job, task }) => {
      const name = `${job}-${task}`
      const credentials = join(folder, `${name}.json`)
      await writeFile(credentials, JSON.stringify(await authority.issue({ node: name, role: job })), {
        mode: 0o600,
      })
      const child = spawn(process.execPath, ['--conditions=@shoal/source', program, ...args], {
        env: {
          ...process.env,
          TF_CONFIG: JSON.stringify({ cluster, task: { type: job, index: task } }),
          SHOAL_CREDENTIALS: credentials,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      started.push(child)
      createInterface(child.stdout).on('line', (line) => heard(name, line))
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
      if (code !== 0) throw new Error(`${name} ended with ${signal ?? `code ${code}`}`)
    })
    const failed = Promise.all(ended)
    const done = Promise.all(ended.filter((_, i) => !serving.includes(tasks[i]!.job)))
    await Promise.race([done, failed])
    started.forEach((child) => child.kill('SIGTERM'))
    await failed
  } finally {
    started.forEach((child) => child.kill('SIGKILL'))
    await rm(folder, { recursive: true })
  }
}
