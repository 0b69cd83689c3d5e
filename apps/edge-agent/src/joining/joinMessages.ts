// What is said when a node joins, in this order: hello of the inviter, proof of the joiner, welcome, application, acceptance. Instead of the last two a refusal may come.
import { namePattern } from '@shoal/distributed/peers'
import { z } from 'zod'
import { roleSchema } from '../api/node.ts'
import { refusalReasonSchema } from './errors.ts'

/** What is spoken, as TLS names it. */
export const joinProtocolName = 'shoal-join/1'
/** The version of what nodes of a cluster speak with each other: nodes of another one are not taken in. */
export const protocolVersion = '1'
/** What a joiner signs with its new key. */
export const applicationPurpose = 'application'

const proof = z.string().max(100)
const pem = z.string().max(10_000)
/** Plain, for it is written into the log whoever says it. */
const version = z.string().regex(/^[\w.+-]{1,32}$/)

/** The inviter says which cluster it is of. Another version may say other things besides. */
export const helloSchema = z.object({
  version,
  /** The certificate of the cluster's authority, PEM. */
  authority: pem.optional(),
})

/** The joiner shows that it knows the secret. */
export const proofSchema = z.object({ version, invitation: z.string().max(64), proof })

/** The joiner says who it wants to be. */
export const applicationSchema = z.object({
  nodeId: z.string().regex(namePattern),
  publicKey: z.string().max(1000),
  /** Of the connection, with the private key that belongs to it. Base64. */
  signature: z.string().max(200),
})

/** Somebody who is in the cluster, and where. */
export const knownMemberSchema = z.object({
  nodeId: z.string(),
  role: roleSchema,
  /** `host:port`. */
  addresses: z.array(z.string().max(300)).max(16),
})
/** Somebody who is in the cluster, and where. */
export type KnownMember = z.infer<typeof knownMemberSchema>

/** The most members that a node is told of when it joins: it hears of the others from these. */
export const maxMembersTold = 64

const refusal = z.object({
  kind: z.literal('refused'),
  reason: refusalReasonSchema,
  message: z.string().max(1000),
})

/** The inviter shows that it knows the secret as well. */
export const welcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('welcome'), proof }),
  refusal,
])

/** The inviter takes the node in. */
export const acceptanceSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('accepted'),
    certificate: pem,
    /** The private key of the authority, for managers. */
    authorityKey: pem.optional(),
    members: z.array(knownMemberSchema).max(maxMembersTold),
  }),
  refusal,
])
