// What the main thread and the thread of the control plane say to each other.
import type { StopRequest } from './controlService.ts'
import type { NodeSettings, News, PeerTable, PeerView } from './controlNode.ts'
import type { PeerEvent } from './failureDetector.ts'
import type { NodeCredentials } from '../security/identity.ts'
import type { NodeUpdate } from './nodeStatus.ts'

/** What a thread is started with. */
export interface ThreadData {
  readonly settings: NodeSettings
  /** What the node says of itself at first. */
  readonly status: NodeUpdate
  /** The main thread counts in the first of them. */
  readonly mainWords: Int32Array<SharedArrayBuffer>
}

/** What the thread is told. */
export type ToThread =
  | { readonly kind: 'update'; readonly update: NodeUpdate }
  | { readonly kind: 'follow'; readonly peers: PeerTable }
  | { readonly kind: 'look' }
  | { readonly kind: 'renew'; readonly credentials: NodeCredentials }
  | { readonly kind: 'close'; readonly reason: string }

/** What it tells. */
export type FromThread =
  | { readonly kind: 'listening'; readonly address: string }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'peer'; readonly event: PeerEvent }
  | { readonly kind: 'news'; readonly news: News }
  | { readonly kind: 'stop'; readonly request: StopRequest }
  | { readonly kind: 'stranger'; readonly why: string }
  | { readonly kind: 'seen'; readonly peers: readonly PeerView[] }
  | { readonly kind: 'closed' }
