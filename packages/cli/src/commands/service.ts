// shoal service: the agent starts with the system.
import { Command } from 'commander'
import { action, type Invocation } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Installs and removes a systemd service. */
export const serviceCommand = (shell: Shell): Command =>
  new Command('service')
    .description('have the agent start with the system, by systemd')
    .addCommand(
      new Command('install')
        .description('install and start the service: of the system for root, otherwise of the user')
        .option('--user <name>', 'whom the system runs it as')
        .option('--root <folder>', 'the root of a system that does not run, as on a card')
        .action(action(shell, install)),
    )
    .addCommand(
      new Command('remove')
        .description('stop and remove the service; what the node is and has stays')
        .option('--root <folder>', 'the root of a system that does not run, as on a card')
        .action(action(shell, remove)),
    )

/** The flags of `shoal service install`. */
interface InstallFlags {
  readonly user?: string
  readonly root?: string
}

async function install(invocation: Invocation, { user, root }: InstallFlags): Promise<void> {
  const { installService } = await import('@shoal/edge-agent/service')
  const { ownProgram } = await import('../agent/ownProgram.ts')
  const { node, program } = ownProgram()
  const unit = await installService({
    node,
    program: [...program, 'up'],
    folder: await invocation.folder(),
    ...(user !== undefined && { user }),
    ...(root !== undefined && { root: invocation.path(root) }),
    log: (line) => invocation.note(line),
  })
  invocation.answer({ unit }, [`The service is installed: ${unit}`])
}

async function remove(invocation: Invocation, { root }: Pick<InstallFlags, 'root'>): Promise<void> {
  const { removeService } = await import('@shoal/edge-agent/service')
  const removed = await removeService(root === undefined ? {} : { root: invocation.path(root) })
  invocation.answer({ removed }, [removed ? 'The service is removed.' : 'There was no service.'])
}
