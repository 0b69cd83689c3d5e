// Makes the agent a service of this machine, or of one user, and takes that back.
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { ValueError } from '@shoal/core'
import { type RunCommand, runCommand, ServiceError } from './command.ts'
import { type ServiceManager, type ServiceProgram, serviceUnit, unitName } from './unit.ts'

/** Where a service is. */
export interface ServicePlace {
  /** Default: the system's for root, otherwise the user's own. */
  readonly manager?: ServiceManager
  /** The root of the system that it is for. Another one than '/' is a system that does not run, as on a card: nothing is started. Default '/'. */
  readonly root?: string
  /** Default: runs programs of this machine. */
  readonly run?: RunCommand
  /** The folder of units. Default: `/etc/systemd/system` below the root, or `systemd/user` in `$XDG_CONFIG_HOME` or in `~/.config`. */
  readonly units?: string
}

/** What to install, and where. */
export interface InstallOptions extends ServicePlace, ServiceProgram {
  /** The name of whom the system runs it as. Default: whoever the state folder belongs to, and who calls this where there is none yet. */
  readonly user?: string
  /** Told in words of what did not work and need not. */
  readonly log: (line: string) => void
}

interface Place {
  readonly manager: ServiceManager
  readonly file: string
  /** Is it the system that runs here? */
  readonly live: boolean
  systemctl(...args: readonly string[]): Promise<void>
}

/** @throws ValueError for a user's service in a system that does not run. */
function placeOf({ manager, root = '/', run = runCommand, units }: ServicePlace): Place {
  const by = manager ?? (process.getuid?.() === 0 ? 'system' : 'user')
  const live = root === '/'
  if (by === 'user' && !live)
    throw new ValueError(
      `services of users are installed in the system that runs: leave out root, or use the system's manager`,
    )
  const usual =
    by === 'system'
      ? join(root, 'etc/systemd/system')
      : join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'systemd/user')
  const scope = by === 'user' ? ['--user'] : live ? [] : [`--root=${root}`]
  return {
    manager: by,
    file: join(units ?? usual, unitName),
    live,
    async systemctl(...args) {
      const { code, output, missing } = await run('systemctl', [...scope, ...args])
      if (missing)
        throw new ServiceError('this system has no systemd: have it start `shoal up` in its own way')
      if (code !== 0) throw new ServiceError(`systemctl ${[...scope, ...args].join(' ')} failed: ${output}`)
    },
  }
}

/**
 * Installs the unit, starts the service, and has it started with the system (a user's: also where the user is not logged in, if that is allowed). One that is
 * there already is replaced and started anew. Where it fails nothing is left behind that was not there before.
 * @returns the file of the unit.
 * @throws ServiceError where systemd is not there or refuses, ValueError as `serviceUnit`, and what the file system throws.
 */
export async function installService(options: InstallOptions): Promise<string> {
  const { node, program, folder, user, log, run = runCommand } = options
  const { manager, file, live, systemctl } = placeOf(options)
  if (manager === 'user' && user !== undefined)
    throw new ValueError(`a service of a user runs as that user: leave out 'user', or install it as root`)
  await systemctl('--version')
  // The state folder of a system that does not run is not looked for here.
  const owner = manager === 'system' && live && user === undefined ? await ownerOf(folder) : undefined
  const runsAs = user ?? owner
  const text = serviceUnit({ manager, node, program, folder, ...(runsAs !== undefined && { user: runsAs }) })
  const replaces = await isThere(file)
  await write(file, text)
  try {
    if (live) await systemctl('daemon-reload')
    await systemctl('enable', unitName)
    if (live) await systemctl('restart', unitName)
  } catch (error) {
    if (!replaces) await rm(file, { force: true })
    throw error
  }
  if (manager === 'user') {
    const { code, output } = await run('loginctl', ['enable-linger'])
    if (code !== 0) log(`the service ends when you log out, for 'loginctl enable-linger' failed: ${output}`)
  }
  return file
}

/**
 * Stops the service and removes its unit. The state folder stays.
 * @returns was there one?
 * @throws ServiceError where systemd is not there or refuses, and what the file system throws.
 */
export async function removeService(place: ServicePlace = {}): Promise<boolean> {
  const { file, live, systemctl } = placeOf(place)
  if (!(await isThere(file))) return false
  await systemctl('disable', ...(live ? ['--now'] : []), unitName)
  await rm(file)
  if (live) await systemctl('daemon-reload')
  return true
}

/** Whom a folder belongs to. It is made where it is not there: a service cannot be given the right to a folder that is not. */
async function ownerOf(folder: string): Promise<{ readonly uid: number; readonly gid: number }> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, gid } = await stat(folder)
  return { uid, gid }
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )

/** Whole or not at all. */
async function write(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`
  await mkdir(dirname(file), { recursive: true })
  await writeFile(draft, text, { mode: 0o644 })
  await rename(draft, file)
}
