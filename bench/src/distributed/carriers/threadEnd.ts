// The far end that is a thread.
import { workerData } from 'node:worker_threads'
import { connectPort, type Port } from '@shoal/distributed'
import { sourceBytes } from '../carrier.ts'
import { served } from './shoal.ts'

const { port, shared } = workerData as { readonly port: Port; readonly shared: boolean }
let memory = new Uint8Array(new SharedArrayBuffer(0))

function sharedBytes(length: number): Uint8Array {
  if (memory.length < length) memory = new Uint8Array(new SharedArrayBuffer(length)).fill(1)
  return memory.subarray(0, length)
}

connectPort(port, { cluster: '', node: 'near end', role: '' }).serve(
  served(shared ? sharedBytes : sourceBytes),
)
