// shoal bench: how fast this machine is, and how fast tasks run that run now.
import { Command } from 'commander'
import { byteRate, measured } from '../drawing/quantities.ts'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Measures this machine, or looks at what the nodes have measured and what their tasks do. */
export const benchCommand = (shell: Shell): Command =>
  new Command('bench')
    .description('measure this machine, in about a second')
    .option('--nodes', 'what all nodes have measured, and their links, in place of measuring')
    .option('--job <job>', 'the steps per second of the tasks of a job, in place of measuring')
    .action(
      action(shell, async (invocation, { nodes, job }: { nodes?: true; job?: string }) => {
        if (nodes) {
          const { nodeSpeeds } = await import('../bench/nodeSpeeds.ts')
          return nodeSpeeds(invocation)
        }
        if (job !== undefined) {
          const { taskSpeeds } = await import('../bench/taskSpeeds.ts')
          return taskSpeeds(invocation, job)
        }
        const { runSelfTest } = await import('@shoal/edge-agent/machine')
        const { availableParallelism } = await import('node:os')
        const { speed, adapters } = await runSelfTest({ log: (line) => invocation.note(line) })
        const cores = availableParallelism()
        invocation.answer({ speed, adapters, cores }, [
          `one core     ${measured(speed.gflops)} GFLOP/s, float32 matrix products`,
          `${`${cores} cores`.padEnd(12)} ${measured(speed.gflops * cores)} GFLOP/s, if all are free`,
          `memory       ${byteRate(speed.gigabytesPerSecond * 1e9)} copied`,
          `WebGPU       ${adapters.join(', ') || 'no adapter'}`,
        ])
      }),
    )
