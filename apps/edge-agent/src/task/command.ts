// The command line by which a task is confined: what Node's permission model is told, and what is closed besides.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { LaunchError } from './errors.ts'
import { gpuArguments, gpuEnvironment, type GpuGrant } from './gpu.ts'

/** The first version whose permission model takes away the network. */
const firstEngine = 26

/** @throws LaunchError under a Node that cannot confine. */
export function checkEngine(version: string = process.versions.node): void {
  if (Number.parseInt(version) < firstEngine)
    throw new LaunchError(
      `programs run only where they can be confined, under Node ${firstEngine} or later; this is Node ${version}: install a newer one`,
    )
}

/** Where things of a task are, absolute, and free of symbolic links. */
export interface TaskFiles {
  /** What it can read. */
  readonly folder: string
  /** What it can write, in `folder`. */
  readonly work: string
  /** What is run. */
  readonly main: string
}

/** Arguments for Node. @param gpu for a task that computes on one */
export const confinedArguments = (
  { folder, work, main }: TaskFiles,
  memoryBytes: number,
  gpu?: GpuGrant,
): readonly string[] => [
  '--permission',
  `--allow-fs-read=${folder}`,
  `--allow-fs-write=${work}`,
  // Not confined by the permission model: SQLite opens any file.
  '--no-experimental-sqlite',
  '--no-experimental-ffi',
  '--no-experimental-webstorage',
  ...(gpu ? gpuArguments(gpu) : ['--no-addons']),
  // Flags of V8 can turn off the checks of memory, and write files. Whoever sets one at run time ends the process.
  '--freeze-flags-after-init',
  '--disable-sigusr1',
  // Of the rest the engine itself takes a part, and what arrays have lies outside its heap.
  `--max-old-space-size=${Math.max(16, Math.floor((memoryBytes * 0.75) / 2 ** 20))}`,
  '--enable-source-maps',
  '--disable-warning=ExperimentalWarning',
  main,
  ...(gpu ? [gpu.main, gpu.folder, gpu.node] : []),
]

/** The environment of a process: where it may write instead of the user's folders, how people here write, and what drivers are told, which its program does not see. */
export function confinedEnvironment(
  { folder, work }: TaskFiles,
  gpu?: GpuGrant,
): Readonly<Record<string, string>> {
  const { TZ, LANG } = process.env
  return {
    HOME: work,
    TMPDIR: work,
    ...(TZ && { TZ }),
    ...(LANG && { LANG }),
    ...(gpu && gpuEnvironment(folder)),
  }
}

const setpriv = ['setpriv', '--pdeathsig', 'KILL', '--no-new-privs', '--'] as const
let bound: Promise<readonly string[]> | undefined

/**
 * What is put before a command so that the system ends its process when the agent's ends, be it in an endless loop: `setpriv` of util-linux.
 * Empty where that is not there: an agent that starts ends what others have left.
 */
export function boundToThisProcess(): Promise<readonly string[]> {
  const [program, ...args] = setpriv
  bound ??= promisify(execFile)(program, [...args, 'true']).then(
    () => setpriv,
    () => [],
  )
  return bound
}
