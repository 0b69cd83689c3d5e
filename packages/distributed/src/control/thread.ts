// The thread of the control plane: nothing that the main thread computes delays its heartbeats.
import { parentPort, workerData } from 'node:worker_threads'
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { asError } from '../errors.ts'
import { presentOf, RenewableCredentials } from '../security/renewable.ts'
import type { Security } from '../transport/security.ts'
import { ControlNode } from './controlNode.ts'
import type { FromThread, ThreadData, ToThread } from './threadMessages.ts'

// What goes wrong is told by the calls that it goes wrong with.
setLogVerbosity(logVerbosity.NONE)

const { settings, status, mainWords } = workerData as ThreadData
const main = parentPort!
const tell = (message: FromThread): void => main.postMessage(message)

const { security: given } = settings
const credentials =
  'credentials' in given ? new RenewableCredentials(presentOf(given.credentials)) : undefined
const security: Security = credentials ? { credentials } : given

const node = new ControlNode(
  { ...settings, security },
  {
    peer: (event) => tell({ kind: 'peer', event }),
    news: (news) => tell({ kind: 'news', news }),
    stop: (request) => tell({ kind: 'stop', request }),
    refused: (why) => tell({ kind: 'stranger', why }),
  },
  { mainWords },
)

node.update(status)
main.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'update':
      return node.update(message.update)
    case 'follow':
      return node.follow(message.peers)
    case 'renew':
      return credentials?.renew(message.credentials)
    case 'look':
      return tell({ kind: 'seen', peers: node.peers() })
    case 'close':
      return void node.close(message.reason).finally(() => tell({ kind: 'closed' }))
    default:
      return message satisfies never
  }
})

node.start().then(
  (address) => tell({ kind: 'listening', address }),
  (error: unknown) => tell({ kind: 'refused', error: asError(error).message }),
)
