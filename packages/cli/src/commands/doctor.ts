// shoal doctor: why nodes do not find each other, do not get to each other or do not compute as they could, and what to do.
import { Command } from 'commander'
import type { Finding } from '@shoal/edge-agent/doctor'
import { CommandError } from '../errors.ts'
import { action, type Invocation } from '../invocation.ts'
import type { Shell } from '../shell.ts'
import type { Terminal } from '../terminal/terminal.ts'

const marks = { good: ['green', '✓'], fault: ['red', '✗'], unknown: ['yellow', '?'] } as const

/** Examines the node of this machine. Fails where something is wrong. */
export const doctorCommand = (shell: Shell): Command =>
  new Command('doctor')
    .description('say what does not work on this machine, and what to do')
    .addHelpText(
      'after',
      `
Looks at Node, the state folder, the agent, its certificate, the clock, multicast, the port, the
other nodes and the GPU, in about five seconds. ✓ is well; ✗ keeps something from working; ? could
not be told, or may be as it is wanted. The exit code is 1 where there is any ✗.`,
    )
    .action(
      action(shell, async (invocation) => {
        const { diagnose } = await import('@shoal/edge-agent/doctor')
        const { today, clock, out } = shell
        const folder = await invocation.folder()
        const findings = await diagnose({ folder, today, clock, agent: () => askedAgent(invocation) })
        invocation.answer(
          { findings },
          findings.flatMap((finding) => linesOf(finding, out)),
        )
        const faults = findings.filter(({ verdict }) => verdict === 'fault').length
        if (faults > 0)
          throw new CommandError(`${faults} ${faults === 1 ? 'thing is' : 'things are'} wrong`, {
            remedy: invocation.json ? '' : 'what is marked by ✗ says what to do',
          })
      }),
    )

async function askedAgent(invocation: Invocation) {
  const agent = await invocation.agent()
  return {
    report: async () => {
      const [status, { nodes }, { neighbours }] = await Promise.all([
        agent.status(),
        agent.nodes(),
        agent.survey(),
      ])
      return { status, nodes, neighbours }
    },
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}

function linesOf({ subject, verdict, what, remedy }: Finding, out: Terminal): readonly string[] {
  const [style, mark] = marks[verdict]
  const first = `${out.style(style, mark)} ${subject.padEnd(11)} ${what}`
  return remedy === '' ? [first] : [first, `${' '.repeat(14)}→ ${remedy}`]
}
