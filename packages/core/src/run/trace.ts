// What ran when, on which device: run metadata, and its form for Chrome's trace viewer and Perfetto.

/** One piece of work of a run. */
export interface TraceEvent {
  readonly node: string
  readonly op: string
  /** The whole name of the device: '/job:localhost/task:0/device:cpu:1'. */
  readonly device: string
  /** Milliseconds on the clock of `performance.now()`, so that runs stand one after the other. */
  readonly startMs: number
  readonly durationMs: number
  /** Bytes of its outputs. */
  readonly bytes: number
}

/** Collects the events of one run, each when it ends. */
export class Trace {
  readonly events: TraceEvent[] = []
  /** Milliseconds on the clock of `performance.now()`. */
  now(): number {
    return performance.now()
  }
  add(event: TraceEvent): void {
    this.events.push(event)
  }
}

/** A trace in Chrome's Trace Event Format (JSON object form, complete events, microseconds), a row or more per device. */
export interface ChromeTrace {
  readonly traceEvents: readonly {
    readonly name: string
    readonly cat: string
    readonly ph: 'X' | 'M'
    readonly ts: number
    readonly dur: number
    readonly pid: number
    readonly tid: number
    readonly args: Readonly<Record<string, string | number>>
  }[]
}

/** Events as a Chrome trace. What goes on beside the work of its device is in rows of its own, since the pieces of a row may not overlap. */
export function toChromeTrace(events: readonly TraceEvent[]): ChromeTrace {
  const rows: { readonly name: string; readonly device: string; endMs: number }[] = []
  const rowOf = ({ device, startMs, durationMs }: TraceEvent): number => {
    const endMs = startMs + durationMs
    const free = rows.findIndex((row) => row.device === device && row.endMs <= startMs)
    if (free >= 0) {
      rows[free]!.endMs = endMs
      return free
    }
    const isFirst = rows.every((row) => row.device !== device)
    return rows.push({ name: isFirst ? device : `${device}, beside`, device, endMs }) - 1
  }
  const work = events.map((e) => ({
    name: e.node,
    cat: e.op,
    ph: 'X' as const,
    ts: e.startMs * 1000,
    dur: e.durationMs * 1000,
    pid: 1,
    tid: rowOf(e),
    args: { op: e.op, bytes: e.bytes },
  }))
  const names = rows.map(({ name }, tid) => ({
    name: 'thread_name',
    cat: '',
    ph: 'M' as const,
    ts: 0,
    dur: 0,
    pid: 1,
    tid,
    args: { name },
  }))
  return { traceEvents: [...names, ...work] }
}
