// The state folder: whoever may read it is the node, and what the agent cannot write there it forgets.
import { randomBytes } from 'node:crypto'
import { lstat, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { leastFreeBytes } from '../blobs/allotment.ts'
import { type Finding, findingsOn, sizeOf } from './finding.ts'

const { good, fault, unknown } = findingsOn('folder')

/** Read and write of the group and of all others. */
const othersBits = 0o077
/** About what the files of a node take that it writes anew again and again. */
const sampleBytes = 2 ** 16

const copied =
  'if others have accounts on this machine, one of them may have copied what this node is: shoal leave, and join again'

/** Examines the state folder as it is: to be done before anything opens it, for that closes it to others. */
export async function examineFolder(path: string): Promise<readonly Finding[]> {
  let mode, uid
  try {
    const found = await stat(path)
    if (!found.isDirectory())
      return [fault(`${path} is no folder`, `move it away, or name another folder in SHOAL_HOME`)]
    ;({ mode, uid } = found)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return [unknown(`there is no ${path}: no agent has run here`, 'start one: shoal up')]
    return [
      fault(`${path} cannot be looked at: ${(error as Error).message}`, 'name another one in SHOAL_HOME'),
    ]
  }
  if (process.getuid && process.getuid() !== uid)
    return [
      fault(
        `${path} belongs to another user (${uid})`,
        `run shoal as that user, or name another folder in SHOAL_HOME`,
      ),
    ]
  const found = [...(await open(path, mode)), ...(await full(path))]
  return found.length > 0 ? found : [good(`${path} is closed to others, and has ${await freeOf(path)} free`)]
}

async function open(path: string, mode: number): Promise<readonly Finding[]> {
  const found: Finding[] = []
  if ((mode & othersBits) !== 0)
    found.push(
      fault(
        `${path} was open to other users of this machine (mode ${octal(mode)})`,
        `chmod 700 ${path}, if shoal has not done that since; ${copied}`,
      ),
    )
  const key = join(path, 'identity.json')
  const own = await lstat(key).catch(() => undefined)
  if (own && (own.mode & othersBits) !== 0)
    found.push(
      fault(
        `${key}, which has this node's private key, can be read by other users (mode ${octal(own.mode)})`,
        `chmod 600 ${key}; ${copied}`,
      ),
    )
  return found
}

async function full(path: string): Promise<readonly Finding[]> {
  const sample = join(path, `sample-${randomBytes(6).toString('hex')}`)
  try {
    await writeFile(sample, new Uint8Array(sampleBytes), { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isFull = code === 'ENOSPC' || code === 'EDQUOT'
    return [
      isFull
        ? fault(
            `the disk of ${path} is full: ${await freeOf(path)} free, and nothing can be written`,
            'make room: df -h shows what is full',
          )
        : fault(`nothing can be written to ${path}: ${message}`, 'see whether its file system is read-only'),
    ]
  } finally {
    await rm(sample, { force: true })
  }
  if ((await freeBytes(path)) >= leastFreeBytes) return []
  return [
    fault(
      `the disk of ${path} has ${await freeOf(path)} free: programs and data of jobs are not taken below ${sizeOf(leastFreeBytes)}`,
      'make room: df -h shows what is full',
    ),
  ]
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

const freeOf = async (path: string): Promise<string> => sizeOf(await freeBytes(path))
const octal = (mode: number): string => (mode & 0o777).toString(8)
