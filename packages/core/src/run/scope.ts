// One run from its beginning to its end: what can abort it, and what is released when it is over. Most runs never wait, and need no signal.

/** Ends waits of a run, and lets go of what it holds. */
export class RunScope {
  /** Whatever aborts the run from outside. */
  private readonly sources: readonly AbortSignal[]
  private readonly releases: (() => void)[] = []
  private controller: AbortController | undefined
  private ended: { readonly reason: unknown } | undefined

  constructor(sources: readonly AbortSignal[]) {
    this.sources = sources
  }

  /** Made when something asks for it; aborted already where that has happened by then. */
  get signal(): AbortSignal {
    this.controller ??= this.listen(new AbortController())
    return this.controller.signal
  }

  /** Ends every wait of the run. Only the first reason counts. */
  abort(reason: unknown): void {
    this.ended ??= { reason }
    this.controller?.abort(reason)
  }

  /** Has `release` called when the run is over: the last one first. */
  onEnd(release: () => void): void {
    this.releases.push(release)
  }

  /** The run is over. */
  end(): void {
    while (this.releases.length > 0) this.releases.pop()!()
  }

  private listen(controller: AbortController): AbortController {
    if (this.ended) controller.abort(this.ended.reason)
    for (const source of this.sources) {
      const stop = (): void => controller.abort(source.reason)
      if (source.aborted) stop()
      source.addEventListener('abort', stop, { once: true })
      this.onEnd(() => source.removeEventListener('abort', stop))
    }
    return controller
  }
}
