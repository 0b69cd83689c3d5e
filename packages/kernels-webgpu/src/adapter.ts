// Finds an adapter: the browser's, or in Node that of the npm package `webgpu`.
import { PlacementError } from '@shoal/core'

/** Which adapter is asked for. */
export interface AdapterOptions {
  /** One that is at hand already. Default: the first that the browser, or Node's `webgpu` package, answers. */
  readonly adapter?: GPUAdapter
  /** The one that spares the battery, or the one that is fast. Default: the system's choice. */
  readonly powerPreference?: GPUPowerPreference
}

/** An adapter, and what must live as long as it is used. */
export interface FoundAdapter {
  readonly adapter: GPUAdapter
  readonly gpu: GPU | undefined
}

/** @throws PlacementError when there is none, saying what to do */
export async function findAdapter({ adapter, powerPreference }: AdapterOptions): Promise<FoundAdapter> {
  if (adapter) return { adapter, gpu: undefined }
  const gpu = await entry()
  const found = await gpu.requestAdapter(powerPreference ? { powerPreference } : {})
  if (found) return { adapter: found, gpu }
  throw new PlacementError(
    inNode()
      ? 'WebGPU found no adapter: install a Vulkan driver (on Debian: libvulkan1 with mesa-vulkan-drivers of a recent release, or a software adapter named by VK_ICD_FILENAMES), or use another device'
      : 'this browser has WebGPU but no adapter for it (its GPU may be on the block list): use another device',
  )
}

const inNode = (): boolean => typeof process === 'object' && typeof process.versions?.node === 'string'

async function entry(): Promise<GPU> {
  const here = (globalThis as { readonly navigator?: { readonly gpu?: GPU } }).navigator?.gpu
  if (here) return here
  if (!inNode())
    throw new PlacementError(
      'this browser has no WebGPU, or the page is not a secure context (https or localhost): use another device',
    )
  // Named by a variable, so that bundlers for browsers do not look for it.
  const name = 'webgpu'
  let dawn: { readonly create: (flags: readonly string[]) => GPU }
  try {
    dawn = (await import(/* @vite-ignore */ name)) as typeof dawn
  } catch (cause) {
    throw new PlacementError(
      "Node has no WebGPU of its own: add the npm package 'webgpu' (npm install webgpu), or use another device",
      { cause },
    )
  }
  // Kernels write workgroup memory before they read it. Zeroing it first takes time, and software adapters a second to compile.
  return dawn.create(['enable-dawn-features=disable_workgroup_init'])
}
