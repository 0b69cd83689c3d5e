// The process of one node: `shoal up`, which ends as well when whoever started it is gone, however that came about.
import { processShell, run } from 'shoal/client'

// The other end of standard input is held by the process that started this one.
const { stdin } = process
stdin.resume().once('end', () => process.kill(process.pid, 'SIGTERM'))
process.exitCode = await run(['up', '--json', ...process.argv.slice(2)], processShell())
stdin.destroy()
