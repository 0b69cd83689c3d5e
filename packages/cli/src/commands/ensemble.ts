// shoal ensemble: one model of several, which were found by a search or are trained for it.
import { Command, Option } from 'commander'
import { readCount } from '../config/text.ts'
import { UsageError } from '../errors.ts'
import { action, type Invocation } from '../invocation.ts'
import { begin, type JobFlags, withJobFlags } from '../jobs/flags.ts'
import type { Submission } from '../jobs/submit.ts'
import type { Shell } from '../shell.ts'

/** The flags of `shoal ensemble`. */
interface EnsembleFlags extends JobFlags {
  readonly of?: string
  readonly best?: number
  readonly members?: number
  readonly combine?: string
}

/** Submits the making of an ensemble. */
export const ensembleCommand = (shell: Shell): Command =>
  withJobFlags(
    new Command('ensemble')
      .description(
        'make one model of several: of the best trials of a search, or of members that are trained for it',
      )
      .argument(
        '[file]',
        'a module that exports defineProgram({ ensemble }); job.program of the config otherwise',
      )
      .option('--of <job>', 'the search whose best trials are the members')
      .option('--best <number>', 'how many of them; 3 otherwise', readCount('the number of trials'))
      .option('--members <number>', 'train so many, in place of --of', readCount('the number of members'))
      .addOption(
        new Option('--combine <how>', 'how what they say becomes one').choices([
          'mean',
          'vote',
          'weights',
          'stacking',
        ]),
      ),
  ).action(
    action(shell, (invocation, { of, best, members, combine, ...flags }: EnsembleFlags, file?: string) =>
      begin(invocation, flags, file, () => membersOf(invocation, { of, best, members, combine })),
    ),
  )

async function membersOf(
  invocation: Invocation,
  { of, best, members, combine }: { [K in 'of' | 'best' | 'members' | 'combine']: EnsembleFlags[K] },
): Promise<Pick<Submission, 'kind' | 'told' | 'reads'>> {
  if ((of === undefined) === (members === undefined))
    throw new UsageError(
      'an ensemble of what?',
      'say --of JOB for the best trials of a search, or --members 5',
    )
  const how = combine === undefined ? {} : { combine }
  if (members !== undefined) return { kind: 'ensemble', told: { ...how, members } }
  await using agent = await invocation.agent()
  const { findJob } = await import('../jobs/find.ts')
  const { id } = await findJob(agent, of!)
  return { kind: 'ensemble', told: { ...how, of: id, ...(best !== undefined && { best }) }, reads: [id] }
}
