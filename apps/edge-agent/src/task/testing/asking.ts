// A program that uses all that an agent does for a task, and writes down what it got.
import { NotFoundError } from '@shoal/core'
import type { Socket } from 'node:net'
import { createHash } from 'node:crypto'
import type { Json } from '../../jobs/json.ts'
import type { TaskPort } from '../taskPort.ts'

const large = 40_000_000

export default async function asking({
  assignment,
  services,
  stopped,
  onIncoming,
  onLiving,
}: TaskPort): Promise<void> {
  const from = { signal: stopped }
  const put = async (key: string, value: Json): Promise<void> =>
    void (await services.writeDocument({ key, ifVersion: 0, value }, from))
  onLiving((tasks) => void put('living', tasks))
  onIncoming((task, socket) => socket.end(`${assignment.task.job} greets ${task}`))

  const found = await services.readDocument('seen', { ...from, jobId: 'j-111111111111' })
  const refused = await services.writeDocument({ key: 'taken', ifVersion: 5, value: 1 }, from)
  await put('documents', [found.version, found.value, refused === undefined])

  const bytes = new Uint8Array(large).fill(7)
  const hash = await services.putBlob(bytes, from)
  const again = createHash('sha256').update(await services.getBlob(hash, from))
  await put('blob', hash === again.digest('hex'))

  const missing: unknown = await services.getBlob('0'.repeat(64), from).catch((error: unknown) => error)
  await put('error', missing instanceof NotFoundError && missing.message)

  for (let step = 0; step < 600; step++) services.report({ step, values: { loss: 1 / (step + 1), odd: NaN } })
  services.trialEnded({ trial: 3, state: 'complete', params: { rate: 0.1 }, value: 0.5 })
  services.log('stderr', 'a line')

  const abort = new AbortController()
  const waiting = services.connect('ps:0', { signal: abort.signal }).then(() => 'got it', String)
  abort.abort(new Error('no matter'))
  await put('withdrawn', await waiting)
  const stream = await services.connect('worker:1', from)
  await put('stream', await whole(stream.end('hello')))

  console.log('all is asked')
  await new Promise((resolve) => stopped.addEventListener('abort', resolve, { once: true }))
  console.log(String(stopped.reason))
}

async function whole(socket: Socket): Promise<string> {
  let text = ''
  for await (const bytes of socket.setEncoding('utf8')) text += bytes
  return text
}
