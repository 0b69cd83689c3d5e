// shoal completion: a script by which a shell completes the command.
import { Argument, Command } from 'commander'
import { action } from '../invocation.ts'
import type { Place } from '../completion/tree.ts'
import type { Shell } from '../shell.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** Prints the script of a shell. */
export const completionCommand = (shell: Shell): Command =>
  new Command('completion')
    .description('print a script by which a shell completes this command')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      `
In ~/.bashrc:                    eval "$(shoal completion bash)"
In ~/.zshrc, after compinit:     eval "$(shoal completion zsh)"
In ~/.config/fish/config.fish:   shoal completion fish | source`,
    )
    .action(
      action(shell, async (invocation, _: object, wanted: (typeof shells)[number]) => {
        const { shoalProgram } = await import('../program.ts')
        const { placesOf } = await import('../completion/tree.ts')
        const places = placesOf(shoalProgram(shell))
        const script = await scriptFor(wanted, places)
        invocation.answer({ shell: wanted, script }, [script.trimEnd()])
      }),
    )

async function scriptFor(shell: (typeof shells)[number], places: readonly Place[]): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashCompletion(places)
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshCompletion(places)
    case 'fish':
      return (await import('../completion/fish.ts')).fishCompletion(places)
  }
}
