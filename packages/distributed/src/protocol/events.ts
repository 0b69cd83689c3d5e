// Times of trace events on their way: processes have clocks that began at different moments, but agree on the time of day.
import type { TraceEvent } from '@shoal/core'

/** Events with their times in milliseconds since 1970. */
export const absolute = (events: readonly TraceEvent[]): TraceEvent[] =>
  events.map((event) => ({ ...event, startMs: event.startMs + performance.timeOrigin }))

/** Events with their times on the clock of this process. */
export const relative = (events: readonly TraceEvent[]): TraceEvent[] =>
  events.map((event) => ({ ...event, startMs: event.startMs - performance.timeOrigin }))
