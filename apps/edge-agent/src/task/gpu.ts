// What a task that computes on the GPU is given besides: the one addon that reaches it, and where the drivers are.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { LaunchError } from './errors.ts'
import type { Assignment } from './services.ts'

/** The agent's own package `webgpu`, and whose it is. */
export interface GpuGrant {
  /** What the task can read of it until the GPU is open. */
  readonly folder: string
  /** The module that loads the addon. */
  readonly main: string
  /** The node, for people. */
  readonly node: string
}

/** What a task is granted; undefined for one that did not ask for a GPU. @throws LaunchError where this node has no way to one */
export function gpuGrant({ devices, node }: Assignment): GpuGrant | undefined {
  if (!devices.includes('webgpu')) return undefined
  try {
    const kernels = createRequire(import.meta.url).resolve('@shoal/kernels-webgpu/package.json')
    const { resolve } = createRequire(kernels)
    return { folder: dirname(resolve('webgpu/package.json')), main: resolve('webgpu'), node }
  } catch (cause) {
    throw new LaunchError(
      `'${node}' has no package to reach its GPU by: install 'webgpu' there, beside '@shoal/kernels-webgpu'`,
      { cause },
    )
  }
}

/** What Node is told: addons may be loaded, which `openGpu.ts` ends. */
export const gpuArguments = ({ folder }: GpuGrant): readonly string[] => [
  '--allow-addons',
  `--allow-fs-read=${folder}`,
  // That the one before is dangerous.
  '--disable-warning=PERM0001',
]

/**
 * What drivers are told: those that somebody has named for the agent, and to keep nothing on disk for a process that is gone soon.
 * @param folder in which they find no settings, for nobody can write there
 */
export function gpuEnvironment(folder: string): Readonly<Record<string, string>> {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env
  return {
    XDG_CONFIG_HOME: folder,
    XDG_DATA_HOME: folder,
    MESA_SHADER_CACHE_DISABLE: 'true',
    __GL_SHADER_DISK_CACHE: '0',
    ...(VK_DRIVER_FILES && { VK_DRIVER_FILES }),
    ...(VK_ICD_FILENAMES && { VK_ICD_FILENAMES }),
  }
}
