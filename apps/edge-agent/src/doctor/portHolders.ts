// Which programs have a UDP port of this machine: the system tells the sockets, and which process has which, as far as the asker may see that.
import { readdirSync, readlinkSync } from 'node:fs'
import type { SystemFiles } from '../machine/systemFiles.ts'

/** The names of the programs that have a UDP port open, on Linux; without those of other users for whoever is not root. Elsewhere none. */
export function programsAt(port: number, files: SystemFiles): readonly string[] {
  const sockets = new Set(
    ['proc/net/udp', 'proc/net/udp6'].flatMap((table) => socketsAt(port, files.text(table))),
  )
  if (sockets.size === 0) return []
  const programs = files
    .paths('proc', /^\d+$/)
    .filter((folder) => opened(`/${folder}/fd`).some((target) => sockets.has(target)))
    .map((folder) => files.text(`${folder}/comm`) ?? '')
  return [...new Set(programs)].filter((name) => name !== '').toSorted()
}

/** proc_net(5): behind a line of titles, the second field is the local address with its port in hexadecimal digits, the tenth the inode. */
function socketsAt(port: number, table = ''): readonly string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap((fields) => (fields[1]?.endsWith(wanted) ? [`socket:[${fields[9]}]`] : []))
}

/** What a process has open; nothing of one that is somebody else's, or gone. */
function opened(folder: string): readonly string[] {
  return listed(folder).flatMap((file) => {
    try {
      return readlinkSync(`${folder}/${file}`)
    } catch {
      // Closed meanwhile, as that of the list itself.
      return []
    }
  })
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
