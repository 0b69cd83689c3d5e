// A thread of the pool: instantiates the Programs that it is sent, and in between takes chunks of whatever is being computed.
import { controlOf, spins, takeChunks, word } from './control.ts'
import { instantiate } from './instance.ts'

/** What a worker is sent: its memory first, then Programs. */
export type ToWorker =
  | { readonly memory: WebAssembly.Memory }
  | { readonly program: number; readonly module: WebAssembly.Module; readonly forget: readonly number[] }
/** What it answers: the Program that it has now, or why it cannot have it. */
export interface FromWorker {
  readonly program: number
  readonly error?: string
}

interface Port {
  postMessage(message: FromWorker): void
  listen(receive: (message: ToWorker) => void): void
}

/** Where messages come from: Node's parent port, or the global scope of a browser's worker. */
function parentPort(): Port {
  const port = globalThis.process?.getBuiltinModule?.('node:worker_threads').parentPort
  if (port)
    return {
      postMessage: (message) => port.postMessage(message),
      listen: (receive) => port.on('message', receive),
    }
  return {
    postMessage: (message) =>
      (globalThis as unknown as { postMessage(message: FromWorker): void }).postMessage(message),
    listen: (receive) => globalThis.addEventListener('message', (event) => receive(event.data as ToWorker)),
  }
}

const port = parentPort()
const programs = new Map<number, (region: number, chunk: number) => void>()
let memory: WebAssembly.Memory | undefined
let received = 0

port.listen((message) => {
  if ('memory' in message) memory = message.memory
  else receive(message)
  if (memory) serve(controlOf(memory))
})

function receive({ program, module, forget }: Extract<ToWorker, { program: number }>): void {
  received++
  for (const old of forget) programs.delete(old)
  try {
    programs.set(program, instantiate(module, memory!)['work'] as (region: number, chunk: number) => void)
    port.postMessage({ program })
  } catch (error) {
    port.postMessage({ program, error: String(error) })
  }
}

/** Works until there is a message to be received. */
function serve(control: Int32Array<ArrayBufferLike>): void {
  for (;;) {
    // Read before everything else: whatever happens after it ends the wait at once.
    const epoch = Atomics.load(control, word.epoch)
    takeChunks(control, (program, region, chunk) => programs.get(program)!(region, chunk))
    if (Atomics.load(control, word.posted) > received) return
    let looks = spins
    while (looks > 0 && Atomics.load(control, word.epoch) === epoch) looks--
    Atomics.wait(control, word.epoch, epoch)
  }
}
