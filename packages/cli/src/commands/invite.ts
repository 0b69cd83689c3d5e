// shoal invite: a code by which one other node may join.
import { Command, Option } from 'commander'
import type { Role } from '@shoal/edge-agent/client'
import { readCount } from '../config/text.ts'
import { duration } from '../drawing/quantities.ts'
import { action } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Makes a code. */
export const inviteCommand = (shell: Shell): Command =>
  new Command('invite')
    .description('print a code by which one other node may join')
    .addOption(
      new Option('--role <role>', 'what the node may do: everything; compute; give work and compute nothing')
        .choices(['manager', 'worker', 'client'])
        .default('manager'),
    )
    .option('--minutes <minutes>', 'how long the code is good, at most 60', readCount('minutes'), 10)
    .action(
      action(shell, async (invocation, { role, minutes }: { role: Role; minutes: number }) => {
        await using agent = await invocation.agent()
        const { code, expiresAt } = await agent.invite(role, minutes)
        invocation.note(
          `Good for one node and ${duration(expiresAt - shell.today())}, as ${role}. There, with an agent running (shoal up):`,
        )
        invocation.answer({ code, role, expiresAt }, [`shoal join ${code}`])
      }),
    )
