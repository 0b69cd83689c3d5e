// The agent in this process, until Ctrl-C.
import { type RunOptions, runAgent } from '@shoal/edge-agent'
import type { AgentSettings } from '../config/config.ts'
import type { Invocation } from '../invocation.ts'

/** Settings without what nobody said. */
type Said = Pick<RunOptions, 'name' | 'host' | 'port' | 'peers' | 'mdns' | 'metricsPort' | 'controlPort'>

/**
 * Runs the agent of a folder until Ctrl-C, or until it is told to stop.
 * @param code of a cluster that it joins as soon as it listens; default: it stays where it is.
 * @throws what `runAgent` throws, and what joining does.
 */
export async function runHere(
  invocation: Invocation,
  folder: string,
  settings: AgentSettings,
  code?: string,
): Promise<void> {
  const { shell, json } = invocation
  const ending = new AbortController()
  const forget = shell.onInterrupt(() => ending.abort())
  let refusal: unknown
  let isNew = true
  const join = async (): Promise<void> => {
    await using agent = await invocation.agent()
    await agent.join(code!)
  }
  try {
    await runAgent({
      ...said(settings),
      folder,
      signal: ending.signal,
      log: (line) => shell.err.print(line),
      listening(at) {
        if (json) invocation.line(at)
        // The next time it is that of the cluster which it has joined.
        if (isNew && code !== undefined)
          join().catch((error: unknown) => {
            refusal = error
            ending.abort()
          })
        isNew = false
      },
    })
  } finally {
    forget()
  }
  if (refusal !== undefined) throw refusal
}

const said = (settings: AgentSettings): Said =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
