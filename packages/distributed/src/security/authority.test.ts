import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ClusterAuthority } from './authority.ts'
import { checkCredentials, clusterOf, verifyIdentity } from './identity.ts'

const authority = await ClusterAuthority.create()
const other = await ClusterAuthority.create()
const node = await authority.issue({ node: 'n1', role: 'worker' })
const day = 86_400_000

describe('a cluster authority', () => {
  it('names the cluster by its key', () => {
    expect(authority.cluster).toMatch(/^[0-9a-f]{64}$/)
    expect(clusterOf(authority.certificate)).toBe(authority.cluster)
    expect(other.cluster).not.toBe(authority.cluster)
  })

  it('issues certificates that name the node and its role', () => {
    expect(checkCredentials(node)).toMatchObject({ cluster: authority.cluster, node: 'n1', role: 'worker' })
    const certificate = new X509Certificate(node.certificate)
    expect(certificate.subjectAltName).toBe(`URI:spiffe://${authority.cluster}/node/n1`)
    expect(certificate.ca).toBe(false)
    expect(new Date(certificate.validTo).getTime() - Date.now()).toBeLessThan(day)
  })

  it('names hosts beside, for those who look at nothing else', async () => {
    const hosts = ['n3.lan', '127.0.0.1']
    const { certificate: pem } = await authority.issue({ node: 'n3', hosts })
    const certificate = new X509Certificate(pem)
    expect([certificate.checkHost('n3.lan'), certificate.checkHost('n4.lan')]).toEqual(['n3.lan', undefined])
    expect([certificate.checkIP('127.0.0.1'), certificate.checkIP('127.0.0.2')]).toEqual([
      '127.0.0.1',
      undefined,
    ])
    expect(verifyIdentity(pem, authority.certificate).node).toBe('n3')
    for (const host of ['', 'a b', 'a, URI:spiffe://x', '-a', 'a..b', '::1', 'a'.repeat(254)])
      await expect(authority.issue({ node: 'n3', hosts: [host] })).rejects.toThrow('is no name of a machine')
  })

  it('signs for a key that it has never seen the private half of', async () => {
    const keys = keyPair('P-256')
    const certificate = await authority.sign({ node: 'n4', role: 'worker', publicKey: keys.publicKey })
    const credentials = { certificate, privateKey: keys.privateKey, authority: authority.certificate }
    expect(checkCredentials(credentials)).toMatchObject({ node: 'n4', role: 'worker' })
    const unfit = [keyPair('P-384').publicKey, 'nonsense']
    for (const publicKey of unfit)
      await expect(authority.sign({ node: 'n4', publicKey })).rejects.toThrow('no public key of the curve')
    const named = authority.sign({ node: 'a/b', publicKey: keys.publicKey })
    await expect(named).rejects.toThrow(`'a/b' is no name`)
  })

  it('is the same after its keys were kept', async () => {
    const again = new ClusterAuthority(authority.export())
    const { certificate } = await again.issue({ node: 'n2' })
    expect(verifyIdentity(certificate, authority.certificate)).toMatchObject({
      cluster: authority.cluster,
      node: 'n2',
      role: '',
    })
  })

  it('refuses keys and certificates that do not belong together', () => {
    const { certificate } = authority
    expect(() => new ClusterAuthority({ certificate, privateKey: other.export().privateKey })).toThrow(
      'is not that of',
    )
    expect(() => new ClusterAuthority(node)).toThrow('is of no authority')
  })

  it.each(['', 'a/b', 'a, URI:spiffe://x', '-a', 'é', 'a'.repeat(64)])(
    'refuses the name %j',
    async (name) => {
      await expect(authority.issue({ node: name })).rejects.toMatchObject({ name: 'SecurityError' })
      await expect(authority.issue({ node: 'n', role: name })).rejects.toMatchObject({
        name: 'SecurityError',
      })
    },
  )
})

describe('a certificate', () => {
  it('is refused when another cluster issued it', async () => {
    const { certificate } = await other.issue({ node: 'n1' })
    expect(() => verifyIdentity(certificate, authority.certificate)).toThrow(
      `'n1' was not issued by the authority`,
    )
  })

  it('is refused before and after its time', async () => {
    const now = Date.now()
    const { certificate } = await authority.issue({ node: 'n1', from: new Date(now), forMs: day })
    const at = (ms: number) => () => verifyIdentity(certificate, authority.certificate, new Date(now + ms))
    expect(at(1000)()).toMatchObject({ node: 'n1' })
    expect(at(-5000)).toThrow('which is not now')
    expect(at(day + 5000)).toThrow('which is not now')
  })

  it('is refused when it names no node', () => {
    expect(() => verifyIdentity(authority.certificate, authority.certificate)).toThrow('names no node')
    expect(() => verifyIdentity('nonsense', authority.certificate)).toThrow('no certificate in PEM')
  })

  it('is of no use with the key of another', async () => {
    const { privateKey } = await authority.issue({ node: 'n2' })
    expect(() => checkCredentials({ ...node, privateKey })).toThrow(`the private key of 'n1'`)
  })
})

const keyPair = (namedCurve: string) =>
  generateKeyPairSync('ec', {
    namedCurve,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
