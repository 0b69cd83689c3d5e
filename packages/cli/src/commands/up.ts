// shoal up: this machine becomes a node. The agent runs in the foreground, or goes on by itself.
import { Command } from 'commander'
import type { AgentSettings } from '../config/config.ts'
import { agentReaders } from '../config/environment.ts'
import { again } from '../config/text.ts'
import { action, type Invocation } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** The flags of `shoal up`. */
interface UpFlags {
  readonly detach?: true
  readonly join?: string
  readonly name?: string
  readonly host?: string
  readonly port?: number
  readonly peer?: readonly string[]
  /** false: --no-mdns. true is what commander says where nobody said anything. */
  readonly mdns: boolean
  readonly metricsPort?: number
  readonly controlPort?: number
}

/** Starts the agent. */
export const upCommand = (shell: Shell): Command =>
  new Command('up')
    .description('run the agent of this machine, until Ctrl-C')
    .option('-d, --detach', 'let it go on by itself, until shoal down')
    .option('--join <code>', 'join the cluster of a code at once')
    .option('--name <name>', 'what a new node is called; the name of the machine otherwise')
    .option('--host <host>', 'where it listens; everywhere otherwise')
    .option('--port <port>', 'where it listens; any that is free otherwise', agentReaders.port)
    .option(
      '--peer <host:port>',
      'where another node is, for networks without multicast; may be given again',
      again,
    )
    .option('--no-mdns', 'do not look for others by multicast, nor be found')
    .option(
      '--metrics-port <port>',
      'where Prometheus reads, with a certificate of the cluster; nowhere otherwise',
      agentReaders.metricsPort,
    )
    .option(
      '--control-port <port>',
      'where gRPC is spoken, with a certificate of the cluster; nowhere otherwise',
      agentReaders.controlPort,
    )
    .action(action(shell, up))

async function up(invocation: Invocation, flags: UpFlags): Promise<void> {
  const { name, host, port, peer: peers, mdns, metricsPort, controlPort } = flags
  const said: AgentSettings = {
    name,
    host,
    port,
    peers,
    metricsPort,
    controlPort,
    ...(!mdns && { mdns }),
  }
  const settings = await invocation.agentSettings(said)
  const folder = await invocation.folder()
  if (flags.detach) {
    const { startDetached } = await import('../agent/startDetached.ts')
    const { pid, log } = await startDetached(invocation, folder, settings)
    await using agent = await invocation.agent()
    if (flags.join !== undefined) await agent.join(flags.join)
    const { nodeId, address } = await agent.status()
    return invocation.answer({ nodeId, address, pid, log }, [
      `${nodeId} listens at ${address}. It ends with: shoal down. What it says: ${log}`,
    ])
  }
  try {
    await invocation.shell.becomeLight?.()
  } catch (error) {
    invocation.note(`this agent takes more memory than it need: ${(error as Error).message}`)
  }
  const { runHere } = await import('../agent/runHere.ts')
  await runHere(invocation, folder, settings, flags.join)
}
