// A thread of a pool: instantiates the Programs that it is sent, and in between takes chunks of whatever is being computed.
import { controlOf, finish, poolWord, word } from './control.ts'
import { instantiate } from './instance.ts'
import { scalarImports, scalarModule } from './lower/imported.ts'
import { mathImports } from './math/imports.ts'

/** What a thread is sent: the pool's words and its place among the threads first, then Programs, and which of them it may forget. */
export type ToWorker =
  | { readonly kind: 'start'; readonly words: SharedArrayBuffer; readonly thread: number }
  | {
      readonly kind: 'load'
      readonly program: number
      readonly module: WebAssembly.Module
      readonly memory: WebAssembly.Memory
    }
  | { readonly kind: 'forget'; readonly programs: readonly number[] }
/** What it answers: that it has seen to a Program, or why it cannot have it. */
export interface FromWorker {
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

/** What a Program exports to threads, over the words of its memory. */
interface Loaded {
  readonly control: Int32Array<ArrayBufferLike>
  serve(): number
  work(chunk: number): void
}

const port = parentPort()
const programs = new Map<number, Loaded>()
let words = new Int32Array(new SharedArrayBuffer(4))
let thread = 0
let received = 0

port.listen((message) => {
  receive(message)
  serve()
})

function receive(message: ToWorker): void {
  if (message.kind === 'start') {
    words = new Int32Array(message.words)
    thread = message.thread
    return
  }
  if (message.kind === 'forget') message.programs.forEach((program) => programs.delete(program))
  else load(message)
  received++
}

function load({ program, module, memory }: Extract<ToWorker, { kind: 'load' }>): void {
  let error: string | undefined
  try {
    const imports = { math: { ...mathImports }, [scalarModule]: scalarImports(module) }
    const { serve, work } = instantiate(module, memory, imports) as unknown as Loaded
    programs.set(program, { control: controlOf(memory), serve, work })
  } catch (caught) {
    error = String(caught)
  }
  Atomics.store(words, poolWord.loaded + thread, program)
  port.postMessage(error === undefined ? {} : { error })
}

/** Works and sleeps until there is a message to be received. */
function serve(): void {
  for (;;) {
    // Read before everything else: whatever happens after it ends the sleep at once.
    const epoch = Atomics.load(words, poolWord.epoch)
    if (Atomics.load(words, poolWord.posted) > received) return
    join(programs.get(Atomics.load(words, poolWord.program)))
    Atomics.wait(words, poolWord.epoch, epoch)
  }
}

/** Takes chunks of a Program, and of others over the same memory that run after it, until nothing has run for a while. */
function join(program: Loaded | undefined): void {
  while (program) {
    const { control } = program
    let chunk: number
    try {
      chunk = program.serve()
    } catch {
      Atomics.sub(control, word.listeners, 1)
      fail(control)
      continue
    }
    if (chunk < 0) return
    // It was taken from a Program that stands still while the chunk is pending.
    program = programs.get(Atomics.load(control, word.program))
    try {
      program?.work(chunk)
      if (program) finish(control, 1)
      else fail(control)
    } catch {
      fail(control)
    }
  }
}

/** Says that a chunk failed: the thread that forked throws. */
function fail(control: Int32Array<ArrayBufferLike>): void {
  Atomics.store(control, word.failed, 1)
  finish(control, 1)
}
