// The libraries that Shoal is measured beside: installed apart from the workspace, on the first run that needs them.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Where their package.json stands. */
export const peersFolder = new URL('../peers/', import.meta.url)
const stamp = new URL('node_modules/.installed', peersFolder)

/** Installs what the peers' lockfile says, unless that was done. @throws Error when npm fails. */
export function installPeers(): void {
  const wanted = readFileSync(new URL('package-lock.json', peersFolder), 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log('Installing the peers …')
  const { status, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(peersFolder),
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (error || status !== 0)
    throw new Error(`the peers could not be installed${error ? `: ${error.message}` : ''}`)
  writeFileSync(stamp, wanted)
}

const require = createRequire(new URL('package.json', peersFolder))

/** A module of a peer, as `Module` describes what is used of it. */
export const importPeer = async <Module>(name: string): Promise<Module> =>
  (await import(pathToFileURL(require.resolve(name)).href)) as Module

/** A CommonJS module of a peer. */
export const requirePeer = <Module>(name: string): Module => require(name) as Module

/** 'name version', of what is installed. */
export function peerVersion(name: string): string {
  const manifest = new URL(`node_modules/${name}/package.json`, peersFolder)
  return `${name} ${(JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version}`
}
