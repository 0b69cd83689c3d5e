// shoal save: the model of a job becomes a file here, which any program can ask.
import { Command } from 'commander'
import { readCount } from '../config/text.ts'
import { bytes } from '../drawing/quantities.ts'
import { action } from '../invocation.ts'
import type { WhichModel } from '../models/modelBytes.ts'
import type { Shell } from '../shell.ts'

/** Writes a model down. */
export const saveCommand = (shell: Shell): Command =>
  new Command('save')
    .description('write the model of a job into a file')
    .argument('<job>', 'its id, the beginning of it, or its name')
    .argument('[file]', 'where; one that is there is replaced', 'model.safetensors')
    .option('--model <name>', 'the model of the job, where it has saved several')
    .option(
      '--trial <number>',
      'the model of that trial of a search; of the best otherwise',
      readCount('a trial', 0),
    )
    .action(
      action(shell, async (invocation, which: WhichModel, job: string, typed: string) => {
        const { modelOfJob } = await import('../models/modelBytes.ts')
        const { writeFile } = await import('node:fs/promises')
        const model = await modelOfJob(invocation, job, which)
        const file = invocation.path(typed)
        await writeFile(file, model)
        invocation.answer({ file, bytes: model.byteLength }, [
          `${file} has the model: ${bytes(model.byteLength)}`,
        ])
      }),
    )
