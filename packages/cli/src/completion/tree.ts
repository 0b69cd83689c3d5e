// What can be completed, read from the tree of commands itself, so that no list of it can be out of date.
import type { Command, Option } from 'commander'

/** A flag of a command. */
export interface Flag {
  /** Its spellings: ['-f', '--follow']. */
  readonly names: readonly string[]
  readonly about: string
  readonly takesValue: boolean
  /** What its value may be; empty where it may be anything. */
  readonly choices: readonly string[]
}

/** A command, and what may follow it. */
export interface Place {
  /** The words that lead to it: '' for the program itself, 'jobs show'. */
  readonly path: string
  /** By name, what each is for. */
  readonly commands: readonly { readonly name: string; readonly about: string }[]
  readonly flags: readonly Flag[]
}

/** All places where something can be completed, the program itself first. Flags of the program can stand anywhere. */
export function placesOf(program: Command): readonly Place[] {
  return placesBelow(program, '', [])
}

function placesBelow(command: Command, path: string, inherited: readonly Flag[]): readonly Place[] {
  const help = command.createHelp()
  const flags = [...help.visibleOptions(command).map(flagOf), ...inherited.filter(isNot('--help'))]
  const commands = help
    .visibleCommands(command)
    .map((child) => ({ name: child.name(), about: help.subcommandDescription(child) }))
  const passedOn = [...inherited, ...help.visibleOptions(command).map(flagOf)].filter(isNot('--version'))
  return [
    { path, commands, flags: distinct(flags) },
    ...command.commands.flatMap((child) =>
      placesBelow(child, `${path} ${child.name()}`.trimStart(), path === '' ? passedOn : inherited),
    ),
  ]
}

const isNot =
  (name: string) =>
  ({ names }: Flag): boolean =>
    !names.includes(name)

const distinct = (flags: readonly Flag[]): readonly Flag[] =>
  flags.filter(({ names }, i) => flags.findIndex((other) => other.names.at(-1) === names.at(-1)) === i)

const flagOf = ({ short, long, description, required, optional, argChoices }: Option): Flag => ({
  names: [short, long].filter((name) => name !== undefined),
  about: description,
  takesValue: required || optional,
  choices: argChoices ?? [],
})
