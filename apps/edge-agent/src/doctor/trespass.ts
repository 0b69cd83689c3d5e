// What a program of a job must not be able to do, tried: plain JavaScript, for it is run as a program is, by itself. Prints what it was let do.
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

const attempts = {
  'read files that are not its own': () => readdirSync('/'),
  'write files that are not its own': () => writeFileSync(join(import.meta.dirname, 'trespassed'), ''),
  'start processes': () => spawnSync(process.execPath, ['--version']),
  'start threads of its own': () => new Worker('', { eval: true }),
  'send signals to processes': () => process.kill(process.ppid, 0),
  'open databases': () => import('node:sqlite'),
  'use the network': () =>
    new Promise((resolve, reject) => {
      const socket = connect(9, '127.0.0.1', () => resolve(socket.destroy()))
      // An answer of the other side, even a refusal, came over the network.
      socket.once('error', (error) =>
        'code' in error && error.code === 'ERR_ACCESS_DENIED' ? reject(error) : resolve(error),
      )
    }),
}

const allowed = []
for (const [what, attempt] of Object.entries(attempts)) {
  try {
    await attempt()
    allowed.push(what)
  } catch {
    // It was kept from it, as it should be.
  }
}
console.log(JSON.stringify({ allowed }))
