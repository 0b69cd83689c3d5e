// The flags that all jobs have, and what comes of them.
import { type Command, Option } from 'commander'
import type { Json } from '@shoal/edge-agent/client'
import type { JobSettings } from '../config/config.ts'
import { jobReaders } from '../config/environment.ts'
import { readPair, readSetting } from '../config/text.ts'
import { MissingError, UsageError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import type { Submission } from './submit.ts'

/** What commander makes of the flags of a job. */
export interface JobFlags extends Omit<JobSettings, 'data' | 'set' | 'program'> {
  readonly data?: Readonly<Record<string, string>>
  readonly set?: Readonly<Record<string, Json>>
  readonly detach?: true
}

/** Gives a command the flags that all jobs have. */
export function withJobFlags(command: Command): Command {
  const collect =
    <Value>(read: (text: string) => readonly [string, Value]) =>
    (text: string, before: Readonly<Record<string, Value>> = {}): Readonly<Record<string, Value>> => ({
      ...before,
      ...Object.fromEntries([read(text)]),
    })
  return command
    .option('--tasks <job=count,…>', 'how many tasks: worker=4,ps=1, or worker=all', jobReaders.tasks)
    .option('--gpu', 'on nodes with a GPU only')
    .option(
      '--data <name=path>',
      'a folder or file that the tasks read; may be given again',
      collect((text) => readPair(text, '--data mnist=./data')),
    )
    .option(
      '--set <key=value>',
      'what the program is told, JSON or text; may be given again',
      collect(readSetting),
    )
    .option('--name <name>', 'for people; the name of the file otherwise')
    .option('--priority <number>', 'higher ones go first', jobReaders.priority)
    .option('--memory <bytes>', 'what a task may take: 512MiB', jobReaders.memory)
    .option('--cores <number>', 'what a task keeps busy', jobReaders.cores)
    .option('--time-limit <time>', 'how long a task may run: 2h', jobReaders.timeLimit)
    .option('--retries <number>', 'how often a task may fail by itself', jobReaders.retries)
    .addOption(new Option('-d, --detach', 'submit, and do not watch'))
}

/** Submits a job, and watches it unless it is told not to. The file may stand in the config instead. @throws what `submit` and `attach` throw. */
export async function begin(
  invocation: Invocation,
  flags: JobFlags,
  typed: string | undefined,
  more: (settings: JobSettings) => Promise<Omit<Submission, 'file' | 'settings'>>,
): Promise<void> {
  const { detach, ...own } = flags
  const settings = await invocation.jobSettings(own)
  const file = typed === undefined ? settings.program : invocation.path(typed)
  if (file === undefined)
    throw new UsageError('which program?', 'name its file, or say job.program in shoal.config.ts')
  const { existsSync } = await import('node:fs')
  if (!existsSync(file)) throw new MissingError(`there is no program ${file}`)
  const { submit } = await import('./submit.ts')
  const job = await submit(invocation, { ...(await more(settings)), file, settings })
  if (detach) return invocation.answer({ job }, [`${job} was submitted. Watch it: shoal attach ${job}`])
  const { attach } = await import('./attach.ts')
  await attach(invocation, job)
  const { tellResult } = await import('./result.ts')
  if (!invocation.json) await tellResult(invocation, job)
}
