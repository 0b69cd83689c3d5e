// What runs first in the process of a task: it takes away what Node's permission model leaves, and then runs the program.
// It stands alone and names no type, for it is copied as it is into the folder of the task, which can read nothing else.
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import v8 from 'node:v8'

/** What works under the permission model, and reaches beyond this process or undoes the model. */
const takenAway = [
  {
    module: 'process',
    of: process,
    names: [
      // Other processes of the same user, the agent among them.
      'kill',
      '_kill',
      '_debugProcess',
      '_debugEnd',
      'execve',
      // Other users, where the agent is root.
      'setuid',
      'setgid',
      'seteuid',
      'setegid',
      'setgroups',
      'initgroups',
      // Native code.
      'dlopen',
      'binding',
      '_linkedBinding',
      // The environment, as native code sees it.
      'loadEnvFile',
      // The channel that the agent hands sockets over.
      'send',
      'disconnect',
      // A core file.
      'abort',
    ],
  },
  // Other processes; and whose machine it is.
  { module: 'os', of: os, names: ['setPriority', 'userInfo', 'networkInterfaces'] },
  // Flags that turn off the checks of memory. V8 has frozen them besides, and would end the process.
  { module: 'v8', of: v8, names: ['setFlagsFromString'] },
]

const { exit } = process
// Without its agent a task is nobody's.
process.on('disconnect', () => exit(1))

// Native code first: after it none can be loaded.
const openGpu = './openGpu.mjs'
if (process.argv.length > 2) await import(openGpu)

for (const { module, of, names } of takenAway)
  for (const name of names)
    Object.defineProperty(of, name, {
      value: () => {
        throw Object.assign(new Error(`${module}.${name} is not for tasks`), { code: 'ERR_ACCESS_DENIED' })
      },
      enumerable: true,
    })
// It can be told where to write when the process ends badly.
Object.defineProperty(process, 'report', { value: undefined })
// What the program changes of its environment is for itself alone: native code finds by its own where its parts are.
const { HOME, TMPDIR, TZ, LANG } = process.env
process.env = { HOME, TMPDIR, ...(TZ && { TZ }), ...(LANG && { LANG }) }
syncBuiltinESMExports()

const program = './program.mjs'
await import(program)
