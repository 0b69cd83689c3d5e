// The thread of the control plane: nothing that the main thread computes delays its heartbeats.
import { parentPort, workerData } from 'node:worker_threads'
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'
import { asError } from '../errors.ts'
import { ControlNode } from './controlNode.ts'
import type { FromThread, ThreadData, ToThread } from './threadMessages.ts'

// What goes wrong is told by the calls that it goes wrong with.
setLogVerbosity(logVerbosity.NONE)

const { settings, status, mainWords } = workerData as ThreadData
const main = parentPort!
const tell = (message: FromThread): void => main.postMessage(message)

const node = new ControlNode(
  settings,
  {
    peer: (event) => tell({ kind: 'peer', event }),
    news: (news) => tell({ kind: 'news', news }),
    stop: (request) => tell({ kind: 'stop', request }),
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
