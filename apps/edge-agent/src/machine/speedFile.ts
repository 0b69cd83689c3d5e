// The self-test's result, kept in the state folder for as long as it is true: the same machine, engine and version.
import { readdirSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { type SelfTest, selfTestSchema } from './selfTest.ts'

const storedSchema = selfTestSchema.extend({ machine: z.string() })

/** The drivers of Vulkan that someone wants to be used, as its loader is told; empty where nobody does. */
export const namedDrivers = (env: NodeJS.ProcessEnv): string =>
  env['VK_DRIVER_FILES'] || env['VK_ICD_FILENAMES'] || ''

/** The version of this package. */
async function packageVersion(): Promise<string> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version
}

/** What a self-test is true of: the processor, the engine, this package, and the graphics cards and drivers that there are. */
export async function machineKey(): Promise<string> {
  const parts = [cpus()[0]?.model ?? '', process.arch, `Node ${process.versions.node}`]
  const graphics = [...graphicsCards(), namedDrivers(process.env)]
  return [...parts, `Shoal ${await packageVersion()}`, ...graphics].join(', ')
}

function graphicsCards(): readonly string[] {
  try {
    return readdirSync('/dev/dri').toSorted()
  } catch {
    return []
  }
}

const fileIn = (folder: string): string => join(folder, 'speed.json')

/** What was kept, if it is of this machine; undefined where nothing is kept, or something else, or what cannot be read. */
export async function readSpeed(folder: string, machine: string): Promise<SelfTest | undefined> {
  try {
    const stored = storedSchema.parse(JSON.parse(await readFile(fileIn(folder), 'utf8')))
    return stored.machine === machine ? { speed: stored.speed, adapters: stored.adapters } : undefined
  } catch {
    return undefined
  }
}

/** Keeps a result, whole or not at all. @throws what the file system throws. */
export async function storeSpeed(folder: string, machine: string, found: SelfTest): Promise<void> {
  const draft = `${fileIn(folder)}.${process.pid}`
  await writeFile(draft, `${JSON.stringify({ machine, ...found })}\n`, { mode: 0o600 })
  await rename(draft, fileIn(folder))
}
