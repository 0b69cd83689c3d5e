// What @shoal/distributed offers in Node besides: sockets under TLS, WebSocket servers, a cluster's certificates.
export * from './security/authority.ts'
export type { NodeCredentials } from './security/identity.ts'
export { checkCredentials, clusterOf, verifyIdentity } from './security/identity.ts'
export { DirectoryLease } from './supervise/directoryLease.ts'
export type { Security } from './transport/security.ts'
export { type SocketOptions, SocketTransport } from './transport/socket.ts'
export { type WebSocketOptions, WebSocketTransport } from './transport/webSocketTransport.ts'
export { ThreadedTransport, type ThreadedOptions } from './transport/threadedTransport.ts'
