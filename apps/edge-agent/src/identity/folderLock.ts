// One agent to a folder: each that takes it makes the next file of a row, which only one can make; what a dead agent left does not count.
import { LockedError } from './errors.ts'
import type { StateFolder } from './stateFolder.ts'
import { isRunning, type SystemProcess, systemProcessSchema, thisProcess } from './systemProcess.ts'

const holderSchema = systemProcessSchema.nullable()

const fileName = (turn: number): string => `lock-${turn}`
const turnOf = (name: string): number => Number(/^lock-(\d{1,15})$/.exec(name)?.[1] ?? 0)

/**
 * Takes the folder for this process, until what is returned is disposed of.
 *
 * The files of the lock are numbered, and the highest counts. It is never removed, only replaced by the next one, so that whoever has looked too
 * early finds out: the number that he wants to make is taken, or there is a higher one.
 * @throws LockedError where another agent has it.
 */
export async function lockFolder(folder: StateFolder): Promise<AsyncDisposable> {
  const before = await turns(folder)
  const last = Math.max(0, ...before)
  const holder = await holderOf(folder, last)
  if (holder)
    throw new LockedError(
      `the folder ${folder.path} is in use by the agent with process id ${holder.pid}: stop that one, or name another folder in SHOAL_HOME`,
    )
  const own = fileName(last + 1)
  const made = await folder.create(own, thisProcess())
  if (!made || Math.max(...(await turns(folder))) > last + 1) {
    if (made) await folder.remove(own)
    throw new LockedError(`the folder ${folder.path} was taken by another agent at this moment`)
  }
  for (const turn of before) await folder.remove(fileName(turn))
  // Others may be about to try for the lock at this moment; nobody else writes here.
  await folder.sweep((name) => !name.startsWith('lock-'))
  return { [Symbol.asyncDispose]: () => folder.write(own, null) }
}

/** Does an agent have the folder? It has until all that it had in it is written and closed. @throws StateError as reading does. */
export const isLocked = async (folder: StateFolder): Promise<boolean> =>
  (await lockHolder(folder)) !== undefined

/** The process that has the folder; undefined where none has that still runs. @throws StateError for a file that is damaged. */
export const lockHolder = async (folder: StateFolder): Promise<SystemProcess | undefined> =>
  holderOf(folder, Math.max(0, ...(await turns(folder))))

/** Who took that turn, and has not let go. */
async function holderOf(folder: StateFolder, turn: number): Promise<SystemProcess | undefined> {
  const holder = turn > 0 ? await folder.read(fileName(turn), holderSchema) : undefined
  return holder && isRunning(holder) ? holder : undefined
}

const turns = async (folder: StateFolder): Promise<readonly number[]> =>
  (await folder.names()).map(turnOf).filter((turn) => turn > 0)
