// The far end that is a thread.
import { workerData } from 'node:worker_threads'
import { connectPort, type Port } from '@shoal/distributed'
import { mostBytes, sourceBytes } from '../carrier.ts'
import { served } from './shoal.ts'

const { port, shared } = workerData as { readonly port: Port; readonly shared: boolean }
const memory = shared ? new Uint8Array(new SharedArrayBuffer(mostBytes)).fill(1) : undefined
connectPort(port, { cluster: '', node: 'near end', role: '' }).serve(
  served((length) => memory?.subarray(0, length) ?? sourceBytes(length)),
)
