// One run of the command: the arguments in, answers on standard output, errors on standard error, and an exit code.
import { CommanderError, type Command } from 'commander'
import { type CommandError, commandError, exitCodes, UsageError } from './errors.ts'
import { shoalProgram } from './program.ts'
import type { Shell } from './shell.ts'

/** Runs `shoal` with these arguments. Answers the exit code; never rejects. */
export async function run(args: readonly string[], shell: Shell): Promise<number> {
  const program = shoalProgram(shell)
  for (const command of everyCommand(program)) {
    command.exitOverride()
    command.configureOutput({
      writeOut: (text) => void shell.out.screen.write(text),
      writeErr: (text) => void shell.err.screen.write(text),
      // What is wrong is said below, once and in the form that was asked for.
      outputError: () => undefined,
      getOutHelpWidth: () => shell.out.columns ?? 100,
      getErrHelpWidth: () => shell.err.columns ?? 100,
    })
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCodes.ok
  } catch (thrown) {
    // Help and the version come as errors that say 0.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok
    const error = thrown instanceof CommanderError ? usageError(thrown) : commandError(thrown)
    if (error.kind !== 'interrupted') tell(error, shell, args.includes('--json'))
    return exitCodes[error.kind]
  }
}

function* everyCommand(command: Command): Generator<Command> {
  yield command
  for (const child of command.commands) yield* everyCommand(child)
}

function usageError({ code, message }: CommanderError): UsageError {
  if (code === 'commander.help') return new UsageError('what shall be done?', 'see above')
  return new UsageError(message.replace(/^error: /, ''), 'see: shoal --help')
}

function tell({ kind, message, remedy }: CommandError, { err }: Shell, json: boolean): void {
  if (json) return err.print(JSON.stringify({ error: { kind, message, ...(remedy && { remedy }) } }))
  err.print(`${err.style('red', 'error:')} ${message}`)
  if (remedy) err.print(`  ${remedy}`)
}
