// shoal search: many trials of a program, to find good parameters.
import { Command } from 'commander'
import { jobReaders } from '../config/environment.ts'
import { action } from '../invocation.ts'
import { begin, type JobFlags, withJobFlags } from '../jobs/flags.ts'
import type { Shell } from '../shell.ts'

/** Submits a search. */
export const searchCommand = (shell: Shell): Command =>
  withJobFlags(
    new Command('search')
      .description('search for good parameters on the nodes that are there')
      .argument(
        '[file]',
        'a module that exports defineProgram({ search }); job.program of the config otherwise',
      )
      .option('--trials <number>', 'how many in all; as the program says otherwise', jobReaders.trials)
      .option(
        '--parallel <number>',
        'how many at once; as many as find a place otherwise',
        jobReaders.parallel,
      ),
  ).action(
    action(shell, (invocation, flags: JobFlags, file?: string) =>
      begin(invocation, flags, file, async ({ trials }) => ({
        kind: 'search',
        told: trials === undefined ? {} : { trials },
      })),
    ),
  )
