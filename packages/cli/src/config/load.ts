// The config file of a project: found in the folder or above it, run as the TypeScript that it is, and checked.
import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MissingError, UsageError } from '../errors.ts'
import type { JobSettings, ShoalConfig } from './config.ts'

/** The name of a config file. */
export const configFile = 'shoal.config.ts'

/** The config file of a folder: there, or in the nearest folder above it; undefined where there is none. */
export function findConfig(folder: string): string | undefined {
  const file = join(folder, configFile)
  if (existsSync(file)) return file
  const above = dirname(folder)
  return above === folder ? undefined : findConfig(above)
}

/**
 * Runs a config file. Its paths come back whole.
 * @throws MissingError where there is none, UsageError for what it cannot say.
 */
export async function loadConfig(file: string): Promise<ShoalConfig> {
  if (!existsSync(file)) throw new MissingError(`there is no ${file}`)
  const { configSchema } = await import('./schema.ts')
  const { z } = await import('zod')
  const said = await run(file)
  if (said === undefined)
    throw new UsageError(`${file} has no default export`, 'write: export default defineConfig({ … })')
  const { success, data, error } = configSchema.safeParse(said)
  if (!success) throw new UsageError(`${file}: ${z.prettifyError(error)}`)
  const at = (path: string): string => resolve(dirname(file), path)
  return {
    ...data,
    ...(data.folder !== undefined && { folder: at(data.folder) }),
    ...(data.job && { job: withWholePaths(data.job, at) }),
  }
}

function withWholePaths(job: JobSettings, at: (path: string) => string): JobSettings {
  const { program, data } = job
  return {
    ...job,
    ...(program !== undefined && { program: at(program) }),
    ...(data && { data: Object.fromEntries(Object.entries(data).map(([name, path]) => [name, at(path)])) }),
  }
}

/** What the file exports by default. `shoal` is this very command, whether or not the project has installed it. */
async function run(file: string): Promise<unknown> {
  const { href } = pathToFileURL(file)
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'shoal' && context.parentURL === href
        ? { url: new URL(`./config${import.meta.url.slice(-3)}`, import.meta.url).href, shortCircuit: true }
        : next(specifier, context),
  })
  try {
    return ((await import(href)) as { readonly default?: unknown }).default
  } catch (error) {
    throw new UsageError(`${file} cannot be run: ${(error as Error).message}`)
  } finally {
    hooks.deregister()
  }
}
