// How a node is called: a name that people know, and letters that tell it from others of that name.
import { randomInt } from 'node:crypto'

/** Of base32, RFC 4648, in small letters. */
const letters = 'abcdefghijklmnopqrstuvwxyz234567'

/**
 * A new id for a node: `raspberrypi-k3fz`.
 * @param name that of its machine, or one that a person gave; what ids cannot have becomes hyphens.
 */
export function freshNodeId(name: string): string {
  const fit = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, 58)
  const ending = Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  return `${fit || 'node'}-${ending}`
}
