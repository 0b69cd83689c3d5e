// What becomes of a package that is there, that can be installed, and that cannot.
import { describe, expect, it } from 'vitest'
import type { Outcome } from './check/outcome.ts'
import { installSystemPackages, type System } from './systemPackages.ts'

const wanted = [
  { name: 'libfast', capability: 'speed' },
  { name: 'browser', capability: 'pages' },
]

/** A system with some packages, which keeps what it was asked. */
function systemWith(
  installed: readonly string[],
  { root = true, debian = true, mirror = true }: { root?: boolean; debian?: boolean; mirror?: boolean } = {},
) {
  const asked: string[] = []
  const system: System = {
    root,
    run: async (command, args) => {
      if (!debian) return { ok: false, output: `spawn ${command} ENOENT`, seconds: 0 }
      if (command === 'dpkg-query') {
        const there = installed.includes(args.at(-1)!)
        return { ok: there, output: there ? 'installed' : 'no packages found', seconds: 0 }
      }
      if (args[0] !== '--version') asked.push(args.slice(2).join(' '))
      return { ok: args[0] === '--version' || mirror, output: '', seconds: 0 }
    },
  }
  return { system, asked }
}

async function sum(system: System): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for await (const outcome of installSystemPackages(wanted, system)) outcomes.push(outcome)
  return outcomes
}

describe('installSystemPackages', () => {
  it('installs nothing where everything is there', async () => {
    const { system, asked } = systemWith(['libfast', 'browser'])
    expect(await sum(system)).toMatchObject([{ passed: 1 }, { passed: 1 }])
    expect(asked).toEqual([])
  })

  it('installs what is missing, without recommendations and without asking', async () => {
    const { system, asked } = systemWith(['browser'])
    expect(await sum(system)).toMatchObject([{ passed: 1, failed: 0 }, { passed: 1 }])
    expect(asked).toEqual(['update', 'install --yes --no-install-recommends libfast'])
  })

  it('reads the lists once for several', async () => {
    const { system, asked } = systemWith([])
    await sum(system)
    expect(asked.filter((line) => line === 'update')).toHaveLength(1)
  })

  it('fails when an installation breaks off', async () => {
    const { system } = systemWith(['browser'], { mirror: false })
    expect(await sum(system)).toMatchObject([{ failed: 1 }, { failed: 0 }])
  })

  it('says what is left untested where it may not install', async () => {
    const { system, asked } = systemWith(['browser'], { root: false })
    const [missing] = await sum(system)
    expect(missing).toMatchObject({ passed: 0, failed: 0 })
    expect(missing!.name).toBe(
      'system package libfast is missing (only root may install it): speed will not be tested',
    )
    expect(asked).toEqual([])
  })

  it('says so on systems of another kind', async () => {
    const [missing] = await sum(systemWith([], { debian: false }).system)
    expect(missing!.name).toContain('this system has no apt-get')
  })
})
