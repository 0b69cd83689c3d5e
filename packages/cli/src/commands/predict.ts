// shoal predict: a model is asked, the one that a job has made or one in a file.
import { Command } from 'commander'
import { again, readCount } from '../config/text.ts'
import { action, type Invocation } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** The flags of `shoal predict`. */
interface PredictFlags {
  readonly input: readonly string[]
  readonly output?: string
  readonly model?: string
  readonly trial?: number
}

/** Asks a model. */
export const predictCommand = (shell: Shell): Command =>
  new Command('predict')
    .description('ask a model: that of a job, or of a file')
    .argument('<model>', 'a job, or model.safetensors')
    .requiredOption(
      '--input <name=x.npy>',
      'an input, as a file of NumPy; may be given again. An only one needs no name',
      again,
    )
    .option('--output <folder>', 'write what it answers there, as files of NumPy')
    .option('--model <name>', 'the model of the job, where it has saved several')
    .option(
      '--trial <number>',
      'the model of that trial of a search; of the best otherwise',
      readCount('a trial', 0),
    )
    .action(action(shell, predict))

async function predict(invocation: Invocation, flags: PredictFlags, typed: string): Promise<void> {
  const { modelBytes } = await import('../models/modelBytes.ts')
  const { ask } = await import('../models/ask.ts')
  const bytes = await modelBytes(invocation, typed, flags)
  const answers = await ask(invocation, bytes, flags)
  invocation.answer(
    Object.fromEntries(
      answers.map(({ name, dtype, shape, values, file }) => [
        name,
        { dtype, shape, ...(file === undefined ? { values } : { file }) },
      ]),
    ),
    answers.map(({ text }) => text),
  )
}
