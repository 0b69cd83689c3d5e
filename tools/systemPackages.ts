// Programs and libraries of the system that some tests use: installed where that can be done unasked, and otherwise told to be missing.
import { single, type Outcome } from './check/outcome.ts'
import { type Ended, run, type RunOptions } from './run.ts'

/** A Debian package, and what is left untested without it. */
export interface SystemPackage {
  readonly name: string
  readonly capability: string
}

/** What the tests of this workspace use, none of which the packages themselves need. */
export const systemPackages: readonly SystemPackage[] = [
  { name: 'libopenblas0-pthread', capability: "matrix products by the system's BLAS" },
  { name: 'chromium-headless-shell', capability: "pages in Debian's Chromium" },
  { name: 'libvulkan1', capability: 'WebGPU in Node' },
  { name: 'chromium-common', capability: 'a GPU in software, for WebGPU in Node' },
  { name: 'iproute2', capability: 'nodes in network namespaces' },
  { name: 'zsh', capability: 'completion of the command in zsh' },
  { name: 'fish', capability: 'completion of the command in fish' },
  { name: 'systemd', capability: "systemd's verdict on the service of the edge agent" },
]

/** Where packages are looked for and installed. */
export interface System {
  /** May packages be installed without asking anyone? */
  readonly root: boolean
  run(command: string, args: readonly string[], options?: RunOptions): Promise<Ended>
}

const thisSystem: System = { root: process.getuid?.() === 0, run }

/** One outcome for each package: it is there, it was installed, or why it is missing. Only an installation that breaks off fails. */
export async function* installSystemPackages(
  wanted: readonly SystemPackage[] = systemPackages,
  system: System = thisSystem,
): AsyncGenerator<Outcome> {
  let listed = false
  for (const { name, capability } of wanted) {
    const title = `system package ${name}`
    const found = await system.run('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name])
    if (found.ok && found.output === 'installed') {
      yield single(title, found)
      continue
    }
    const debian = await system.run('apt-get', ['--version'])
    if (!debian.ok || !system.root) {
      const why = debian.ok ? 'only root may install it' : 'this system has no apt-get'
      yield absent(`${title} is missing (${why}): ${capability} will not be tested`, debian)
      continue
    }
    if (!listed) await apt(system, 'update')
    listed = true
    const installed = await apt(system, 'install', '--yes', '--no-install-recommends', name)
    yield single(`${title}, installed`, installed)
  }
}

const absent = (name: string, { output, seconds }: Ended): Outcome => ({
  name,
  passed: 0,
  failed: 0,
  output,
  seconds,
})

/** Waits for other installations to end, and never asks. */
const apt = (system: System, ...args: string[]): Promise<Ended> =>
  system.run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
