// What one person hands to another so that a node may join: which cluster, how to be sure that it is that one, a secret that is good once, and where to go.
import { crc32 } from 'node:zlib'
import { type Role, roleSchema } from '../api/node.ts'
import { addressBytes, addressOf, addressSizes } from './addressBytes.ts'
import { base32, fromBase32, letterValue } from './base32.ts'
import { CodeError } from './errors.ts'

/** What a code says. */
export interface JoinCode {
  /** As what the node is to join. */
  readonly role: Role
  /** The SHA-256 of the public key of the cluster's authority, 64 hexadecimal digits. */
  readonly clusterId: string
  /** 16 bytes that nobody else knows. */
  readonly secret: Uint8Array
  /** Where the node that invites can be reached: `host:port`. */
  readonly addresses: readonly string[]
}

/** The most addresses in a code: more do not make it likelier that one works, but make it longer. */
export const maxCodeAddresses = 4
/** Bytes of the secret: 128 bits cannot be guessed. */
export const secretBytes = 16

const version = '1'
const headBytes = 2
const clusterBytes = 32
const sumBytes = 4
const fixedBytes = headBytes + clusterBytes + secretBytes

/**
 * The code as text: `shoal1-` and letters of Crockford's base 32, in which there are: a byte with the role in its lower two bits and the count of addresses
 * above them, a byte with a bit for each address that is one of IPv6, the cluster, the secret, the addresses, and the CRC-32 of all that, which sees
 * every wrong letter and every two that changed places.
 * @param code of its addresses the first four are taken that make sense on other machines; names of hosts are not.
 * @throws ConnectError for an address that is none.
 */
export function formatCode({ role, clusterId, secret, addresses }: JoinCode): string {
  const all = addresses.flatMap((address) => addressBytes(address) ?? []).slice(0, maxCodeAddresses)
  const families = all.reduce((bits, { length }, i) => bits | (Number(length === addressSizes.v6) << i), 0)
  const said = Buffer.concat([
    Uint8Array.of(roleSchema.options.indexOf(role) | (all.length << 2), families),
    Buffer.from(clusterId, 'hex'),
    secret,
    ...all,
  ])
  return `shoal${version}-${base32(Buffer.concat([said, sumOf(said)]))}`
}

/**
 * Reads a code. Blanks and hyphens between its letters do not count, nor whether they are large or small.
 * @throws CodeError saying what is wrong with it.
 */
export function parseCode(text: string): JoinCode {
  const [, itsVersion, rest] = /^shoal(\d+)-?(.*)$/s.exec(text.trim().toLowerCase()) ?? []
  if (itsVersion === undefined || rest === undefined)
    throw new CodeError(`this is no code: codes begin with shoal${version}-`)
  if (itsVersion !== version)
    throw new CodeError(
      `the code is of version ${itsVersion}, this program reads version ${version}: run the same version of shoal on both machines`,
    )
  const letters = Array.from(rest.replace(/[\s-]/g, ''))
  const wrong = letters.findIndex((letter) => letterValue(letter) < 0)
  if (wrong >= 0)
    throw new CodeError(
      `letter ${wrong + 1} after 'shoal${version}-' is '${letters[wrong]}', which codes do not have`,
    )
  const bytes = fromBase32(letters.join(''))
  const said = bytes.subarray(0, -sumBytes)
  if (bytes.length < fixedBytes + sumBytes || !sumOf(said).equals(bytes.subarray(-sumBytes)))
    throw new CodeError(whatIsWrong(bytes, letters.length))
  return read(said)
}

function read(said: Uint8Array): JoinCode {
  const { role, families } = headOf(said)
  let at = fixedBytes
  const addresses = families.map((size) => addressOf(said.subarray(at, (at += size))))
  return {
    role: role ?? refuse('the role in the code is none that this program knows'),
    clusterId: Buffer.from(said.subarray(headBytes, headBytes + clusterBytes)).toString('hex'),
    secret: said.slice(headBytes + clusterBytes, fixedBytes),
    addresses: at === said.length ? addresses : refuse('the code says more than this program reads'),
  }
}

/** The role, and of each address how many bytes it has. */
function headOf(bytes: Uint8Array): {
  readonly role: Role | undefined
  readonly families: readonly number[]
} {
  const [first = 0, second = 0] = bytes
  const size = (_: unknown, i: number): number => ((second >> i) & 1 ? addressSizes.v6 : addressSizes.v4)
  return { role: roleSchema.options[first & 3], families: Array.from({ length: (first >> 2) & 7 }, size) }
}

/** In words, for bytes whose sum is not right. */
function whatIsWrong(bytes: Uint8Array, letters: number): string {
  const { families } = headOf(bytes)
  const whole = Math.ceil((families.reduce((sum, size) => sum + size, fixedBytes + sumBytes) * 8) / 5)
  if (letters === whole) return 'a letter of the code is wrong, or two have changed places'
  const should = `it has ${letters} letters after 'shoal${version}-' and should have ${whole}`
  return letters < whole ? `the code is cut off: ${should}` : `the code is too long: ${should}`
}

function sumOf(bytes: Uint8Array): Buffer {
  const sum = Buffer.alloc(sumBytes)
  sum.writeUInt32BE(crc32(bytes))
  return sum
}

function refuse(message: string): never {
  throw new CodeError(message)
}
