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

/** Collects the events of one run. */
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

/** A trace in Chrome's Trace Event Format (JSON object form, complete events, microseconds), one row per device. */
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

/** Events as a Chrome trace. */
export function toChromeTrace(events: readonly TraceEvent[]): ChromeTrace {
  const devices = [...new Set(events.map((e) => e.device))]
  const names = devices.map((device, tid) => ({
    name: 'thread_name',
    cat: '',
    ph: 'M' as const,
    ts: 0,
    dur: 0,
    pid: 1,
    tid,
    args: { name: device },
  }))
  const work = events.map((e) => ({
    name: e.node,
    cat: e.op,
    ph: 'X' as const,
    ts: e.startMs * 1000,
    dur: e.durationMs * 1000,
    pid: 1,
    tid: devices.indexOf(e.device),
    args: { op: e.op, bytes: e.bytes },
  }))
  return { traceEvents: [...names, ...work] }
}
