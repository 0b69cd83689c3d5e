// The systemd unit of the agent as text: what starts it, what it may have of the machine, and nothing else.
import { isAbsolute } from 'node:path'
import { ValueError } from '@shoal/core'

/** Who runs a service: the manager of the system from the moment that it starts, or that of one user. */
export type ServiceManager = 'system' | 'user'

/** What a service runs. */
export interface ServiceProgram {
  /** The file of Node, as an absolute path. */
  readonly node: string
  /** What Node is given: flags, the program's file as an absolute path, and its arguments. */
  readonly program: readonly string[]
  /** The state folder, as an absolute path: the only one that the agent may write to, told to it as SHOAL_HOME. */
  readonly folder: string
}

/** What a unit says. */
export interface UnitOptions extends ServiceProgram {
  /** Default 'system'. */
  readonly manager?: ServiceManager
  /** Whom the manager of the system runs it as: a name, or numbers. Default: root. A user's manager runs everything as that user. */
  readonly user?: string | { readonly uid: number; readonly gid: number }
}

/** The name of the unit. */
export const unitName = 'shoal.service'

/** What any manager can see to. */
const forEveryManager = [
  // No end of tries: a network that is not there yet, an address that is taken, may take a while.
  'Restart=on-failure',
  'RestartSec=5',
  // The agent ends its tasks itself, in order; what is left after that is killed.
  'KillMode=mixed',
  'TimeoutStopSec=20',
  // A task that takes too much memory is ended, and not the agent with it.
  'OOMPolicy=continue',
  'MemoryMax=90%',
  'LimitNOFILE=65536',
  'UMask=0077',
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  // Netlink tells which network interfaces there are. Memory may be both written and executed: Node compiles as it runs.
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'SystemCallArchitectures=native',
  'SystemCallFilter=~@clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap',
  'SystemCallErrorNumber=EPERM',
]

/** What only the manager of the system has the right to do. Devices stay: GPUs are among them. So do /proc and /sys, for reading: they tell memory, load and heat. */
const forTheSystem = [
  'CapabilityBoundingSet=',
  'ProtectSystem=strict',
  'ProtectHome=read-only',
  'PrivateTmp=yes',
  'ProtectControlGroups=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
]

/**
 * The text of the unit: started with the system (or with the user's manager), again after a failure, and confined to reading all and writing its own
 * folder, as far as the manager can. A user's manager cannot take files away: there the agent may write what its user may.
 * @throws ValueError for paths that are not absolute, for quotes and backslashes in that of Node, for control characters in any text, and for `user` beside a user's manager.
 */
export function serviceUnit({ manager = 'system', node, program, folder, user }: UnitOptions): string {
  for (const path of [node, folder])
    if (!isAbsolute(path)) throw new ValueError(`a service needs absolute paths, got '${path}'`)
  if (/["'\\]/.test(node))
    throw new ValueError(`systemd starts no program whose path has quotes or backslashes: ${node}`)
  const ofSystem = manager === 'system'
  if (user !== undefined && !ofSystem)
    throw new ValueError(
      `the manager of a user runs services as that user alone: leave out 'user', or use the system's`,
    )
  const service = [
    // Started only when Node runs, so that a file that is missing is seen by who starts it.
    'Type=exec',
    `ExecStart=${[quoted(node), ...program.map(quotedArgument)].join(' ')}`,
    `Environment=${quoted(`SHOAL_HOME=${folder}`)}`,
    ...(user === undefined ? [] : userLines(user)),
    ...forEveryManager,
    ...(ofSystem ? [...forTheSystem, `ReadWritePaths=${quoted(folder)}`] : []),
  ]
  const unit = [
    'Description=Shoal edge agent',
    ...(ofSystem ? ['After=network.target'] : []),
    'StartLimitIntervalSec=0',
  ]
  const install = [`WantedBy=${ofSystem ? 'multi-user.target' : 'default.target'}`]
  return [section('Unit', unit), section('Service', service), section('Install', install)].join('\n')
}

const section = (name: string, lines: readonly string[]): string => `[${name}]\n${lines.join('\n')}\n`

const userLines = (user: NonNullable<UnitOptions['user']>): readonly string[] =>
  typeof user === 'string' ? [`User=${userName(user)}`] : [`User=${user.uid}`, `Group=${user.gid}`]

function userName(name: string): string {
  // What systemd itself takes in its strict mode, and no more.
  if (!/^[a-z_][\w-]{0,30}$/i.test(name)) throw new ValueError(`'${name}' is no name of a user`)
  return name
}

/** A text in quotes, in which systemd finds neither escapes nor specifiers. @throws ValueError for control characters, which end a line. */
function quoted(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw new ValueError(`${JSON.stringify(text)} cannot be part of a service: it has a control character`)
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('%', '%%')}"`
}

/** In what follows the name of a program, variables are put in as well. */
const quotedArgument = (text: string): string => quoted(text).replaceAll('$', () => '$$')
