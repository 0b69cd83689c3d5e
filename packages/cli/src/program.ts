// The tree of commands. Building it loads nothing but what describes them: what they need they load when they are called.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { attachCommand } from './commands/attach.ts'
import { benchCommand } from './commands/bench.ts'
import { completionCommand } from './commands/completion.ts'
import { doctorCommand } from './commands/doctor.ts'
import { downCommand } from './commands/down.ts'
import { ensembleCommand } from './commands/ensemble.ts'
import { historyCommand } from './commands/history.ts'
import { initCommand } from './commands/init.ts'
import { inspectCommand } from './commands/inspect.ts'
import { inviteCommand } from './commands/invite.ts'
import { joinCommand } from './commands/join.ts'
import { jobsCommand } from './commands/jobs.ts'
import { leaveCommand } from './commands/leave.ts'
import { logsCommand } from './commands/logs.ts'
import { nodesCommand } from './commands/nodes.ts'
import { predictCommand } from './commands/predict.ts'
import { removeCommand } from './commands/remove.ts'
import { saveCommand } from './commands/save.ts'
import { searchCommand } from './commands/search.ts'
import { serviceCommand } from './commands/service.ts'
import { stopCommand } from './commands/stop.ts'
import { trainCommand } from './commands/train.ts'
import { upCommand } from './commands/up.ts'
import type { Shell } from './shell.ts'

const groups = {
  'This machine:': [upCommand, downCommand, serviceCommand, doctorCommand, benchCommand, completionCommand],
  'The cluster:': [nodesCommand, inviteCommand, joinCommand, leaveCommand, removeCommand],
  'Jobs:': [
    initCommand,
    trainCommand,
    searchCommand,
    ensembleCommand,
    jobsCommand,
    attachCommand,
    logsCommand,
    stopCommand,
    historyCommand,
  ],
  'Models:': [predictCommand, saveCommand, inspectCommand],
} as const

/** The version that the package says. */
export function versionOf(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { readonly version: string }).version
}

/** `shoal` with all its commands. */
export function shoalProgram(shell: Shell): Command {
  const program = new Command('shoal')
    .description('Trains, searches and ensembles models on the machines that are there.')
    .version(versionOf(), '-V, --version', 'print the version')
    .option('--json', 'answer in JSON, errors too')
    .option('--folder <folder>', 'the state folder of the agent that is meant')
    .option('--config <file>', 'the config file, in place of the nearest shoal.config.ts')
    .helpOption('-h, --help', 'print this')
    .helpCommand('help [command]', 'print how a command is used')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
  for (const [group, commands] of Object.entries(groups)) {
    program.commandsGroup(group)
    for (const make of commands) program.addCommand(make(shell))
  }
  return program
}
