// A job on its way to the cluster: its program is bundled, its data brought to the agent, and what is there already is not sent again.
import { randomUUID } from 'node:crypto'
import type { DatasetManifest } from '@shoal/edge-agent/client'
import { blobOf, bundleProgram, pushBlob, readDataset } from '@shoal/edge-agent/submit'
import { bytes } from '../drawing/quantities.ts'
import { InterruptedError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { type RequestParts, requestOf } from './request.ts'

/** What is to be submitted, before its program and data are anywhere. */
export type Submission = Pick<RequestParts, 'kind' | 'file' | 'settings' | 'told' | 'reads'>

/** Submits a job. Answers its id. @throws BundleError, DatasetError, what the agent throws, InterruptedError after Ctrl-C. */
export async function submit(invocation: Invocation, submission: Submission): Promise<string> {
  const leaving = new AbortController()
  const forget = invocation.shell.onInterrupt(() => leaving.abort(new InterruptedError()))
  const { signal } = leaving
  const keepFor = `submit-${randomUUID()}`
  try {
    const program = await bundleProgram(submission.file, { beside: import.meta.dirname })
    await using agent = await invocation.agent(signal)
    let sent = 0
    const put = async (content: Uint8Array): Promise<string> => {
      signal.throwIfAborted()
      const blob = await blobOf(content)
      sent += await pushBlob(blob, agent.connection, { keepFor, signal })
      return blob.hash
    }
    try {
      const datasets: Record<string, DatasetManifest> = {}
      for (const [name, path] of Object.entries(submission.settings.data ?? {})) {
        const before = sent
        const manifest = await readDataset(invocation.path(path), { put, signal })
        datasets[name] = manifest
        const all = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
        invocation.note(`data ${name}: ${bytes(all)}, of which ${bytes(sent - before)} had to be sent`)
      }
      const request = requestOf({ ...submission, program: await put(program), datasets })
      return await agent.submit(request)
    } finally {
      // The job keeps what it needs by itself.
      await agent.releaseBlobs(keepFor)
    }
  } catch (error) {
    throw signal.aborted ? new InterruptedError() : error
  } finally {
    forget()
  }
}
