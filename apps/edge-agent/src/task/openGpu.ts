// What opens the GPU in the process of a task: it loads the one addon that a task has, and gives away the right to load native code.
// Drivers read settings and load their parts when the first device is opened. That is done here, before the program can write a file.
// Like `confine.ts`, which runs it, it stands alone and names no type.
import { pathToFileURL } from 'node:url'

const [, , main, folder, node] = process.argv
const { dlopen, permission } = process
/**
 * What stays in here: what the addon begins with, for who has it can have other drivers loaded, and what must live as long as the process. It has no
 * methods, which a program could replace by its own.
 */
const kept = Object.create(null)

process.dlopen = (module, ...rest) => {
  dlopen.call(process, module, ...rest)
  const exports = Reflect.get(module, 'exports')
  kept.create = exports.create
  exports.create = () => {
    throw Object.assign(new Error('the GPU of a task is navigator.gpu'), { code: 'ERR_ACCESS_DENIED' })
  }
}

try {
  const drop = Reflect.get(permission, 'drop')
  if (!drop)
    throw new Error(
      `Node ${process.versions.node} cannot take back the right to load native code: install a newer one`,
    )
  await import(pathToFileURL(`${main}`).href)
  const { create } = kept
  delete kept.create
  // Memory of work groups is cleared before a shader has it, as in browsers: what is left in it is somebody else's.
  kept.gpu = create([])
  let adapter = await kept.gpu.requestAdapter()
  if (adapter?.info.isFallbackAdapter) {
    // In software it is this process's own, and clearing it makes shaders take six times as long to compile.
    kept.first = kept.gpu
    kept.gpu = create(['enable-dawn-features=disable_workgroup_init'])
    adapter = await kept.gpu.requestAdapter()
  }
  if (!adapter) throw new Error('WebGPU finds no adapter: is the Vulkan driver still there?')
  const device = await adapter.requestDevice()
  device.destroy()
  await device.lost
  drop('addon')
  drop('fs.read', folder)
  if (permission.has('addon')) throw new Error('native code could still be loaded')
  // For good: once they are collected, what came from them is not safe to use.
  Object.defineProperty(navigator, 'gpu', { get: () => kept.gpu, enumerable: true })
} catch (error) {
  console.error(
    `the GPU of '${node}' cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
  )
  process.exit(1)
}
