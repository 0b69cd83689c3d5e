// Shoal between two threads of one process: memory of one's own is copied on its way, shared memory is not.
import { type MessagePort as NodePort, Worker } from 'node:worker_threads'
import { connectPort, type Port } from '@shoal/distributed'
import type { Carrier } from '../carrier.ts'
import { callerOf } from './shoal.ts'

/** Calls to another thread. @param shared whether the tensors lie in shared memory */
export const threads = (shared: boolean, version: string): Carrier => ({
  name: shared ? 'shoal, shared memory' : 'shoal',
  version,
  link: 'threads',
  async connect() {
    const { port1, port2 } = new MessageChannel()
    const worker = new Worker(new URL('threadEnd.ts', import.meta.url), {
      workerData: { port: port2, shared },
      // A port of browsers is one of Node's as well.
      transferList: [port2 as unknown as NodePort],
    })
    const connection = connectPort(port1 as unknown as Port, { cluster: '', node: 'far end', role: '' })
    const caller = callerOf(connection, !shared)
    return {
      ...caller,
      async close() {
        await caller.close()
        await worker.terminate()
      },
    }
  },
})
