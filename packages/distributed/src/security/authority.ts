// A cluster's own certificate authority: its key is the cluster. It issues short-lived certificates to nodes.
import { createHash, createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { BitString, Integer, OctetString, PrintableString, Utf8String } from 'asn1js'
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
} from 'pkijs'
import { SecurityError } from '../errors.ts'
import type { NodeCredentials } from './identity.ts'
import { clusterOf, namePattern } from './identity.ts'

/** A certificate and its private key, PEM. Who has the key can issue certificates: it stays with the authority. */
export interface AuthorityKey {
  readonly certificate: string
  readonly privateKey: string
}

/** From when and for how long a certificate is valid. */
export interface Validity {
  /** Default: five minutes ago, for clocks that are not quite alike. */
  readonly from?: Date
  /** Milliseconds, from `from` on. Default: a day for nodes, ten years for the authority. */
  readonly forMs?: number
}

/** Whom a certificate is for. */
export interface NodeRequest extends Validity {
  /** 1 to 63 letters, digits, dots, underlines and hyphens. */
  readonly node: string
  /** What it is there for, of the same characters: 'worker'. A node with a role passes for tasks of that job alone. Default: none, and any job. */
  readonly role?: string
  /** Names and addresses of its machine, for programs that look at nothing else: browsers, clients of gRPC. Nodes of the cluster do not. Default: none. */
  readonly hosts?: readonly string[]
}

/** Whom a certificate is for, and the key that it is about: the private half stays where it was made. */
export interface KeyedRequest extends NodeRequest {
  /** Of the curve P-256, PEM: 'BEGIN PUBLIC KEY'. Whether the node has the private half is for the caller to see. */
  readonly publicKey: string
}

const hour = 3_600_000
const oids = {
  commonName: '2.5.4.3',
  organizationalUnit: '2.5.4.11',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' }

/** The authority of one cluster. Keys are of the curve P-256; certificates follow RFC 5280, names the SPIFFE form of URIs. */
export class ClusterAuthority {
  /** The id of the cluster: the SHA-256 of the authority's public key, in hexadecimal digits. */
  readonly cluster: string
  /** The certificate that every node trusts, PEM. */
  readonly certificate: string
  readonly #privateKey: string

  /** An authority that there is already. @throws SecurityError where key and certificate are not of one authority. */
  constructor({ certificate, privateKey }: AuthorityKey) {
    const own = new X509Certificate(certificate)
    const spki = { type: 'spki', format: 'pem' } as const
    if (!own.ca || createPublicKey(privateKey).export(spki) !== own.publicKey.export(spki))
      throw new SecurityError(
        'the private key is not that of this certificate, or the certificate is of no authority',
      )
    this.cluster = clusterOf(certificate)
    this.certificate = certificate
    this.#privateKey = privateKey
  }

  /** A new cluster. */
  static async create(validity: Validity = {}): Promise<ClusterAuthority> {
    const keys = await newKeys()
    const certificate = new Certificate({ version: 2 })
    name(certificate.subject, 'Shoal cluster')
    name(certificate.issuer, 'Shoal cluster')
    await certificate.subjectPublicKeyInfo.importKey(keys.publicKey)
    certificate.extensions = [
      extension(
        oids.basicConstraints,
        true,
        new BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema(),
      ),
      // keyCertSign
      extension(oids.keyUsage, true, new BitString({ valueHex: Uint8Array.of(0x04).buffer, unusedBits: 2 })),
      extension(oids.subjectKeyIdentifier, false, keyIdentifier(certificate)),
    ]
    const pem = await finish(certificate, keys.privateKey, validity, 87_600 * hour)
    return new ClusterAuthority({ certificate: pem, privateKey: await exportKey(keys.privateKey) })
  }

  /** Certificate and key, to be kept where nobody else reads them. */
  export(): AuthorityKey {
    return { certificate: this.certificate, privateKey: this.#privateKey }
  }

  /** A key and a certificate for a node. @throws SecurityError for an id or a role that is no name, and a host that is none. */
  async issue(request: NodeRequest): Promise<NodeCredentials> {
    const keys = await newKeys()
    const certificate = await this.#certify(request, keys.publicKey)
    return { certificate, privateKey: await exportKey(keys.privateKey), authority: this.certificate }
  }

  /**
   * A certificate, PEM, for a node that has made its key itself.
   * @throws SecurityError for an id or a role that is no name, a host that is none, and what is no public key of P-256.
   */
  async sign({ publicKey, ...request }: KeyedRequest): Promise<string> {
    return this.#certify(request, await importKey(publicKey))
  }

  async #certify(
    { node, role, hosts = [], ...validity }: NodeRequest,
    publicKey: CryptoKey,
  ): Promise<string> {
    for (const text of role === undefined ? [node] : [node, role])
      if (!namePattern.test(text))
        throw new SecurityError(
          `'${text}' is no name: 1 to 63 letters, digits, dots, underlines and hyphens are`,
        )
    const altNames = [
      new GeneralName({ type: 6, value: `spiffe://${this.cluster}/node/${node}` }),
      ...hosts.map(hostName),
    ]
    const issuer = Certificate.fromBER(new X509Certificate(this.certificate).raw)
    const certificate = new Certificate({ version: 2, issuer: issuer.subject })
    name(certificate.subject, node, role)
    await certificate.subjectPublicKeyInfo.importKey(publicKey)
    certificate.extensions = [
      extension(oids.basicConstraints, true, new BasicConstraints({ cA: false }).toSchema()),
      // digitalSignature
      extension(oids.keyUsage, true, new BitString({ valueHex: Uint8Array.of(0x80).buffer, unusedBits: 7 })),
      extension(
        oids.extendedKeyUsage,
        false,
        new ExtKeyUsage({ keyPurposes: [oids.serverAuth, oids.clientAuth] }).toSchema(),
      ),
      extension(oids.subjectKeyIdentifier, false, keyIdentifier(certificate)),
      extension(
        oids.authorityKeyIdentifier,
        false,
        new AuthorityKeyIdentifier({ keyIdentifier: keyIdentifier(issuer) }).toSchema(),
      ),
      extension(oids.subjectAltName, false, new AltName({ altNames }).toSchema()),
    ]
    const signer = createPrivateKey(this.#privateKey).export({ type: 'pkcs8', format: 'der' })
    const key = await crypto.subtle.importKey('pkcs8', new Uint8Array(signer), ecdsa, false, ['sign'])
    return finish(certificate, key, validity, 24 * hour)
  }
}

const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])

const exportKey = async (key: CryptoKey): Promise<string> =>
  pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', key))

async function importKey(publicKey: string): Promise<CryptoKey> {
  try {
    const der = createPublicKey(publicKey).export({ type: 'spki', format: 'der' })
    return await crypto.subtle.importKey('spki', new Uint8Array(der), ecdsa, true, ['verify'])
  } catch (cause) {
    throw new SecurityError('what was given is no public key of the curve P-256 in PEM', { cause })
  }
}

function name(of: Certificate['subject'], common: string, unit?: string): void {
  of.typesAndValues.push(
    new AttributeTypeAndValue({ type: oids.commonName, value: new Utf8String({ value: common }) }),
  )
  if (unit !== undefined)
    of.typesAndValues.push(
      new AttributeTypeAndValue({
        type: oids.organizationalUnit,
        value: new PrintableString({ value: unit }),
      }),
    )
}

/** A name of the domain name system, RFC 1034, or an address as its bytes. */
function hostName(host: string): GeneralName {
  if (isIPv4(host))
    return new GeneralName({
      type: 7,
      value: new OctetString({ valueHex: Uint8Array.from(host.split('.'), Number).buffer }),
    })
  if (/^(?=.{1,253}$)[a-z\d]([a-z\d-]{0,62})(\.[a-z\d][a-z\d-]{0,62})*$/i.test(host))
    return new GeneralName({ type: 2, value: host })
  throw new SecurityError(`'${host}' is no name of a machine, and no IPv4 address`)
}

const extension = (extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }): Extension =>
  new Extension({ extnID, critical, extnValue: value.toBER() })

/** The first 160 bits of the SHA-256 of the key, RFC 7093. */
function keyIdentifier({ subjectPublicKeyInfo }: Certificate): OctetString {
  const bits = subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView
  return new OctetString({
    valueHex: new Uint8Array(createHash('sha256').update(bits).digest().subarray(0, 20)).buffer,
  })
}

/** Numbers, dates and signs a certificate. */
async function finish(
  certificate: Certificate,
  key: CryptoKey,
  validity: Validity,
  forMs: number,
): Promise<string> {
  const from = validity.from ?? new Date(Date.now() - hour / 12)
  const serial = randomBytes(16)
  // Positive, and no leading zeros.
  serial[0] = (serial[0]! & 0x7f) | 0x40
  certificate.serialNumber = new Integer({ valueHex: new Uint8Array(serial).buffer })
  certificate.notBefore.value = from
  certificate.notAfter.value = new Date(from.getTime() + (validity.forMs ?? forMs))
  await certificate.sign(key, 'SHA-256')
  return pem('CERTIFICATE', certificate.toSchema(true).toBER())
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
