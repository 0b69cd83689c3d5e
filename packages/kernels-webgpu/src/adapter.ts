// Finds an adapter: the browser's, or in Node that of the npm package `webgpu`.
import { type OptionRules, PlacementError } from '@shoal/core'

/** Which adapter is asked for. */
export interface AdapterOptions {
  /**
   * One that is at hand already and has opened no device yet. In Node, hold on to what `create()` of the package `webgpu` answered until
   * the program ends: once it is collected, using or collecting what came from it ends the process. Default: the first adapter that
   * the browser, or Node's `webgpu` package, answers.
   */
  readonly adapter?: GPUAdapter
  /** The one that spares the battery, or the one that is fast. Default: the system's choice. */
  readonly powerPreference?: GPUPowerPreference
}

const isAdapter = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'requestDevice' in value &&
  typeof value.requestDevice === 'function'

/** What the options may be, for `checkOptions`. */
export const adapterRules: OptionRules<AdapterOptions> = {
  adapter: { wanted: 'a GPUAdapter, as `await navigator.gpu.requestAdapter()` answers', accepts: isAdapter },
  powerPreference: {
    wanted: "'low-power' or 'high-performance'",
    accepts: (value) => value === 'low-power' || value === 'high-performance',
  },
}

/** An adapter, and the features of WGSL where they are told. */
export interface FoundAdapter {
  readonly adapter: GPUAdapter
  readonly languageFeatures: Iterable<string>
}

/** @throws PlacementError when there is none, saying what to do */
export async function findAdapter({ adapter, powerPreference }: AdapterOptions): Promise<FoundAdapter> {
  if (adapter) return { adapter, languageFeatures: [] }
  const gpu = await entry()
  const found = await gpu.requestAdapter(powerPreference ? { powerPreference } : {})
  if (found) return { adapter: found, languageFeatures: gpu.wgslLanguageFeatures ?? [] }
  throw new PlacementError(
    inNode()
      ? 'WebGPU found no adapter: install a Vulkan driver (on Debian: libvulkan1 with mesa-vulkan-drivers of a recent release, or a software adapter named by VK_ICD_FILENAMES), or use another device'
      : 'this browser has WebGPU but no adapter for it: its GPU is on the block list, or hardware acceleration is switched off',
  )
}

/** Dawn's entry point in Node: one for the process, and never let go, since collecting it together with, or before, what came from it crashes. */
let dawn: GPU | undefined

const inNode = (): boolean => typeof process === 'object' && typeof process.versions?.node === 'string'

async function entry(): Promise<GPU> {
  const here = (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu
  if (here) return here
  if (dawn) return dawn
  if (!inNode())
    throw new PlacementError(
      'this browser has no WebGPU, or the page is not a secure context (https or localhost)',
    )
  // Named by a variable, so that bundlers for browsers do not look for it.
  const name = 'webgpu'
  let installed: { readonly create: (flags: readonly string[]) => GPU }
  try {
    installed = (await import(/* @vite-ignore */ name)) as typeof installed
  } catch (cause) {
    throw new PlacementError(
      "Node has no WebGPU of its own: add the npm package 'webgpu' (npm install webgpu), or use another device",
      { cause },
    )
  }
  // Kernels write workgroup memory before they read it. Zeroing it first takes time, and software adapters a second to compile.
  return (dawn ??= installed.create(['enable-dawn-features=disable_workgroup_init']))
}
