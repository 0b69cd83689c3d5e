// Is this Node one that keeps programs of jobs from what is not theirs? Tried with a program that goes for it.
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { asError } from '@shoal/distributed/peers'
import { z } from 'zod'
import { checkEngine, confinedArguments, confinedEnvironment } from '../task/command.ts'
import { type Finding, findingsOn } from './finding.ts'

const { good, fault } = findingsOn('node')
const run = promisify(execFile)

const [deadlineMs, memoryBytes] = [20_000, 2 ** 28]
const newer = 'install Node 26 or later: https://nodejs.org'
const saidSchema = z.object({ allowed: z.array(z.string()) })

/** Both stand as they are, as a source or as it is published. */
const kind = import.meta.url.slice(-3)
const confinement = new URL(`../task/confine${kind}`, import.meta.url)
const trespass = new URL(`./trespass${kind}`, import.meta.url)

/**
 * Examines the Node that runs this.
 * @param arguments_ how a program is confined. Default: as programs of jobs are.
 */
export async function examineEngine(arguments_ = confinedArguments): Promise<readonly Finding[]> {
  const { node } = process.versions
  try {
    checkEngine()
  } catch (error) {
    return [fault(asError(error).message, newer)]
  }
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'shoal-doctor-')))
  const files = { folder, work: join(folder, 'work'), main: join(folder, 'confine.mjs') }
  try {
    await mkdir(files.work)
    await copyFile(confinement, files.main)
    await copyFile(trespass, join(folder, 'program.mjs'))
    const how = { cwd: files.work, env: confinedEnvironment(files), timeout: deadlineMs }
    const { stdout } = await run(process.execPath, arguments_(files, memoryBytes), how)
    const { allowed } = saidSchema.parse(JSON.parse(stdout))
    return allowed.length === 0
      ? [good(`Node ${node} keeps programs of jobs from files, processes and networks that are not theirs`)]
      : [fault(`under Node ${node} a program of a job can ${allowed.join(', ')}`, newer)]
  } catch (error) {
    return [fault(`no confined program can be run under Node ${node}: ${asError(error).message}`, newer)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
