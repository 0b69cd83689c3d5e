// PyTorch in a process of its own that computes only when asked, so that its samples come between those of the others.
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Contender } from '../contender.ts'
import { peersFolder } from '../peers.ts'
import type { Host } from '../values.ts'
import { batchOf, operandsOf, parametersOf, training } from '../values.ts'
import type { Task } from '../work.ts'
import { dtypeOf } from '../work.ts'

type Arrays = { readonly [name: string]: Host<Float32Array | Int32Array> }
interface Answer {
  readonly version?: string
  readonly ms?: number
  readonly data: Uint8Array
}

/** Where PyTorch computes. */
export type TorchDevice = 'cpu' | 'cuda'

/** A Python that has numpy and torch for a device: `PYTHON`, or python3. undefined where none has. */
export const findPython = (device: TorchDevice = 'cpu'): string | undefined => {
  const program = `import torch, numpy${device === 'cuda' ? '; assert torch.cuda.is_available()' : ''}`
  return [process.env['PYTHON'], 'python3', '/usr/bin/python3'].find(
    (command) => command && spawnSync(command, ['-c', program]).status === 0,
  )
}

/** PyTorch; undefined where no Python has it for this device. */
export async function torch(device: TorchDevice = 'cpu'): Promise<Contender | undefined> {
  const python = findPython(device)
  if (!python) return undefined
  const server = new Server(python, device)
  const { version } = await server.greeting
  let sides = 0
  return {
    name: 'pytorch',
    version: version!,
    async prepare(work) {
      // Of float16 its releases for processors have not every product.
      if (device === 'cpu' && dtypeOf(work) === 'float16') return undefined
      const side = sides++
      await server.ask({ ask: 'prepare', side, task: taskOf(work) }, arraysOf(work))
      return {
        sample: async (repeats) => (await server.ask({ ask: 'sample', side, repeats })).ms!,
        async result() {
          const { data } = await server.ask({ ask: 'result', side })
          return new Float32Array(Uint8Array.from(data).buffer)
        },
        close: async () => void (await server.ask({ ask: 'close', side })),
      }
    },
    close: () => server.close(),
  }
}

const taskOf = (task: Task): object =>
  task.kind === 'train' ? { ...task, training: training[task.model] } : task

const arraysOf = (task: Task): Arrays =>
  task.kind === 'train' || task.kind === 'infer'
    ? { ...parametersOf(task.model), ...batchOf(task.model, task.batch) }
    : operandsOf(task)

/** One request at a time, each answered by a JSON line and as many bytes as it says. */
class Server {
  readonly greeting: Promise<Answer>
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(python: string, device: TorchDevice) {
    const program = fileURLToPath(new URL('torch_server.py', peersFolder))
    this.#process = spawn(python, [program, device], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    })
    this.#chunks = (this.#process.stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
    this.greeting = this.#answer()
  }

  async ask(request: object, arrays: Arrays = {}): Promise<Answer> {
    const described = Object.entries(arrays).map(([name, { data, shape }]) => ({
      name,
      shape,
      dtype: data instanceof Int32Array ? '<i4' : '<f4',
      bytes: data.byteLength,
    }))
    const { stdin } = this.#process
    stdin.write(`${JSON.stringify({ ...request, arrays: described })}\n`)
    for (const { data } of Object.values(arrays))
      stdin.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    return this.#answer()
  }

  async close(): Promise<void> {
    this.#process.stdin.end()
    await new Promise((resolve) => this.#process.once('exit', resolve))
  }

  async #answer(): Promise<Answer> {
    while (!this.#rest.includes(10)) await this.#more()
    const end = this.#rest.indexOf(10)
    const head = JSON.parse(this.#rest.subarray(0, end).toString()) as Answer & { readonly bytes: number }
    const parts = [this.#rest.subarray(end + 1)]
    let length = parts[0]!.length
    while (length < head.bytes) {
      this.#rest = Buffer.alloc(0)
      await this.#more()
      parts.push(this.#rest)
      length += this.#rest.length
    }
    this.#rest = Buffer.alloc(0)
    return { ...head, data: Buffer.concat(parts) }
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#chunks.next()
    if (done) throw new Error('the PyTorch process ended')
    this.#rest = Buffer.concat([this.#rest, value])
  }
}
