// The GPU: is there one, may this user have it, and is there what it takes to reach it?
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { arch, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { SystemFiles } from '../machine/systemFiles.ts'
import { type Finding, findingsOn } from './finding.ts'

const { good, fault, unknown } = findingsOn('gpu')
const run = promisify(execFile)

const deadlineMs = 20_000
const foundSchema = z.object({
  adapter: z.string().optional(),
  software: z.boolean().optional(),
  problem: z.string().optional(),
})
type Found = z.infer<typeof foundSchema>

/** How to look. */
export interface GpuOptions {
  /** Where `dev`, `usr` and `etc` are. Default '/'. */
  readonly root?: string
  /** Asks for an adapter. Default: by a process of its own. */
  readonly adapter?: () => Promise<Found>
}

/** Examines what WebGPU needs. */
export async function examineGpu({
  root = '/',
  adapter = askForAdapter,
}: GpuOptions = {}): Promise<readonly Finding[]> {
  const files = new SystemFiles(root)
  const devices = [...files.paths('dev/dri', /^renderD\d+$/), ...files.paths('dev', /^nvidia\d+$/)]
  const closed: string[] = []
  for (const device of devices) if (await isClosed(join(root, device))) closed.push(`/${device}`)
  if (closed.length > 0) return [fault(...closedToUser(closed))]
  let found: Found
  try {
    found = await adapter()
  } catch (error) {
    return [
      fault(
        `what looks for a GPU has failed: ${(error as Error).message.trim().split('\n').at(-1)}`,
        'a driver may be broken: update it (sudo apt full-upgrade)',
      ),
    ]
  }
  if (found.adapter !== undefined && !found.software) return [good(`WebGPU has ${found.adapter}`)]
  if (devices.length === 0) return [withoutDevice(found)]
  const there = `there is a GPU (${devices.map((device) => `/${device}`).join(', ')})`
  if (found.problem?.includes('npm install'))
    return [
      unknown(`${there} that is not used. ${found.problem}`, 'npm install webgpu, where shoal is installed'),
    ]
  if (!hasLoader(root, files))
    return [
      fault(
        `${there}, and the loader of Vulkan is missing`,
        'sudo apt install libvulkan1 mesa-vulkan-drivers',
      ),
    ]
  const instead =
    found.adapter === undefined ? 'none' : `only ${found.adapter}, which computes on the processor`
  return [
    fault(
      `${there}, and WebGPU has ${instead}${found.problem === undefined ? '' : `: ${found.problem}`}`,
      'install its Vulkan driver (sudo apt install mesa-vulkan-drivers, or that of its maker); vulkaninfo --summary shows which there are',
    ),
  ]
}

/** As it is on most small machines. */
const withoutDevice = ({ adapter }: Found): Finding =>
  adapter === undefined
    ? good('no GPU was found: this node computes on its processor')
    : unknown(`no GPU was found; ${adapter} computes on the processor, and is no gain`)

async function isClosed(device: string): Promise<boolean> {
  try {
    await (await open(device, 'r+')).close()
    return false
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM'
  }
}

function closedToUser(devices: readonly string[]): readonly [string, string] {
  const { username, uid } = whoAmI()
  return [
    `there is a GPU, and the user ${username} (${uid}) may not use it: ${devices.join(', ')}`,
    `sudo usermod -aG render,video ${username}, and log in again; for the service, restart it after that`,
  ]
}

function whoAmI(): { readonly username: string; readonly uid: number } {
  const uid = process.geteuid?.() ?? -1
  try {
    const { username, uid: named } = userInfo()
    return { username: named === uid ? username : String(uid), uid }
  } catch {
    // A user without an entry in the list of users, as in containers.
    return { username: String(uid), uid }
  }
}

/** Where Debian, Fedora, Arch and others have libraries. */
function hasLoader(root: string, files: SystemFiles): boolean {
  const triple = { arm64: 'aarch64-linux-gnu', x64: 'x86_64-linux-gnu', arm: 'arm-linux-gnueabihf' }[
    arch() as string
  ]
  const folders = ['usr/lib64', 'usr/lib', 'usr/local/lib', ...(triple ? [`usr/lib/${triple}`] : [])]
  if (folders.some((folder) => files.paths(folder, /^libvulkan\.so\.1/).length > 0)) return true
  const named = process.env['LD_LIBRARY_PATH']?.split(':') ?? []
  return named.some((folder) => existsSync(join(folder, 'libvulkan.so.1')))
}

// Sources run as they are; what is published has been compiled.
const program = fileURLToPath(new URL(`./adapterProcess${import.meta.url.slice(-3)}`, import.meta.url))

async function askForAdapter(): Promise<Found> {
  const flags = process.execArgv.filter((flag) => flag.startsWith('--conditions='))
  const { stdout } = await run(process.execPath, [...flags, program], { timeout: deadlineMs })
  return foundSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1)!))
}
