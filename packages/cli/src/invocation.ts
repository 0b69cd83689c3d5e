// One call of a command: what was said with it, the agent that it asks, and how it answers: in words, or in JSON where that is asked for.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Agent } from './agent/agent.ts'
import type { AgentSettings, JobSettings, ShoalConfig } from './config/config.ts'
import { configOfEnvironment } from './config/environment.ts'
import { mergeConfigs } from './config/merge.ts'
import type { Column } from './drawing/table.ts'
import type { Shell } from './shell.ts'

/** The flags that every command has. */
export interface GlobalFlags {
  readonly json?: true
  readonly folder?: string
  readonly config?: string
}

/** One call of a command. */
export class Invocation {
  readonly shell: Shell
  readonly #flags: GlobalFlags
  #config: Promise<ShoalConfig> | undefined

  constructor(shell: Shell, flags: GlobalFlags) {
    this.shell = shell
    this.#flags = flags
  }

  /** Is the answer to be JSON? */
  get json(): boolean {
    return this.#flags.json === true
  }

  /** Writes the answer to standard output: the value as one JSON document, or the lines. */
  answer(value: unknown, lines: readonly string[]): void {
    if (this.json) this.line(value)
    else this.shell.out.print(...lines)
  }

  /** One line of JSON. */
  line(value: unknown): void {
    this.shell.out.print(JSON.stringify(value))
  }

  /** Says to people what is no part of the answer. */
  note(...lines: readonly string[]): void {
    if (!this.json) this.shell.err.print(...lines)
  }

  /** The lines of a table, as wide as standard output. */
  async table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Promise<readonly string[]> {
    const { table } = await import('./drawing/table.ts')
    const { out } = this.shell
    const room = out.columns
    return table(rows, columns, {
      ...(room !== undefined && { columns: room }),
      title: (text) => out.style('bold', text),
    })
  }

  /** A path that was typed, as a whole one. */
  path(typed: string): string {
    return resolve(this.shell.cwd, typed)
  }

  /** The state folder of the agent that is meant. */
  async folder(): Promise<string> {
    const { folder } = await this.#settings({})
    if (folder !== undefined) return this.path(folder)
    const { defaultStateFolder } = await import('@shoal/edge-agent/client')
    return defaultStateFolder(this.shell.env)
  }

  /** What the agent is to be started with: flags over file over environment. */
  async agentSettings(flags: AgentSettings): Promise<AgentSettings> {
    return (await this.#settings({ agent: flags })).agent ?? {}
  }

  /** What a job is to be given: flags over file over environment. */
  async jobSettings(flags: JobSettings): Promise<JobSettings> {
    return (await this.#settings({ job: flags })).job ?? {}
  }

  /** The agent of this machine. @throws NoAgentError. */
  async agent(signal?: AbortSignal): Promise<Agent> {
    // What speaks to agents takes longer to load than all commands: those that do not speak to any do without.
    const { Agent } = await import('./agent/agent.ts')
    return Agent.connect(await this.folder(), signal)
  }

  async #settings(flags: ShoalConfig): Promise<ShoalConfig> {
    this.#config ??= this.#fileAndEnvironment()
    return mergeConfigs({ folder: this.#flags.folder, ...flags }, await this.#config)
  }

  async #fileAndEnvironment(): Promise<ShoalConfig> {
    const { findConfig, loadConfig } = await import('./config/load.ts')
    const named = this.#flags.config
    const file = named === undefined ? findConfig(this.shell.cwd) : this.path(named)
    return mergeConfigs(file === undefined ? {} : await loadConfig(file), configOfEnvironment(this.shell.env))
  }
}

/** What a command does when it is called: with its arguments, and its own flags. */
export type Handler<Args extends readonly unknown[], Flags> = (
  invocation: Invocation,
  flags: Flags,
  ...args: Args
) => Promise<void>

/** A handler as commander calls it: arguments, flags, the command. */
export const action =
  <Args extends readonly unknown[], Flags extends object>(shell: Shell, handler: Handler<Args, Flags>) =>
  async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command
    const args = given.slice(0, -2) as unknown as Args
    await handler(
      new Invocation(shell, command.optsWithGlobals<GlobalFlags>()),
      command.opts<Flags>(),
      ...args,
    )
  }
