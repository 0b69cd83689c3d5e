// shoal train: the training of a program, on the nodes that are there.
import { Command } from 'commander'
import { action } from '../invocation.ts'
import { begin, type JobFlags, withJobFlags } from '../jobs/flags.ts'
import type { Shell } from '../shell.ts'

/** Submits a training. */
export const trainCommand = (shell: Shell): Command =>
  withJobFlags(
    new Command('train')
      .description('train on the nodes that are there')
      .argument(
        '[file]',
        'a module that exports defineProgram({ train }); job.program of the config otherwise',
      )
      .option('--elastic', 'each task for itself, as many as find a place'),
  ).action(
    action(shell, (invocation, flags: JobFlags, file?: string) =>
      begin(invocation, flags, file, async () => ({ kind: 'train' })),
    ),
  )
