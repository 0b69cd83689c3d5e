// Brings about one fault after the other on clusters of real processes, and says of each how it was survived.
import { expectThat, readArguments } from '@shoal/example-parts'
import { faults } from './faults/index.ts'
import type { Fault, Scale } from './survive.ts'

/** Brings about the faults that the command line asks for. @param ready is called before the first of them. */
export async function runSuite(ready: () => void): Promise<void> {
  const { only, short, seed, log } = readArguments({ only: '', log: false })
  const names = only.split(',').filter((name) => name !== '')
  const strange = names.filter((name) => !faults.some((fault) => fault.name === name))
  if (strange.length > 0) {
    console.error(`--only is some of ${faults.map(({ name }) => name).join(', ')}, not ${strange.join(', ')}`)
    process.exit(2)
  }
  ready()
  for (const fault of faults)
    if (names.length > 0 ? names.includes(fault.name) : !short || fault.inShort)
      await bringAbout(fault, { short, seed, verbose: log })
}

async function bringAbout({ name, about, missing, run }: Fault, scale: Scale): Promise<void> {
  const why = await missing?.()
  if (why !== undefined) return console.log(`${name}: not brought about: ${why}`)
  console.log(`${name}: ${about}`)
  try {
    await run(scale)
  } catch (error) {
    expectThat(
      'it is survived',
      false,
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    )
  }
}
