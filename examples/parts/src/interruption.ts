// Ctrl+C as an AbortSignal, so that a run can put its things in order before it ends.

/** Aborts at the first SIGINT or SIGTERM; a second one ends the process at once, as it would have without this. */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => controller.abort(new DOMException(`stopped by ${name}`, 'AbortError')))
  return controller.signal
}
