// What happens to a job as plain lines, for where nothing can be drawn over: files, pipes, and what scrolls by above a picture.
import type { JobEvent } from '@shoal/edge-agent/client'
import { measured } from '../drawing/quantities.ts'
import type { Style, Terminal } from '../terminal/terminal.ts'
import { styleOf } from './states.ts'

const palette: readonly Style[] = ['cyan', 'green', 'blue', 'yellow']

/** Gives each task a colour of its own, in the order in which they are named. */
export function taskPainter(terminal: Terminal): (task: string) => string {
  const seen: string[] = []
  return (task) => {
    if (!seen.includes(task)) seen.push(task)
    return terminal.style(palette[seen.indexOf(task) % palette.length]!, task)
  }
}

/** Milliseconds between two lines of numbers of a task. */
const metricsEveryMs = 1000

/** Says events in lines. Numbers of a task are said once a second at most, by the times at which they were measured. */
export class EventLines {
  readonly #terminal: Terminal
  readonly #paint: (task: string) => string
  readonly #said = new Map<string, number>()

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    this.#paint = taskPainter(terminal)
  }

  /** The line of an event; undefined where there is nothing to say. */
  of(event: JobEvent): string | undefined {
    const style = (as: Style, text: string): string => this.#terminal.style(as, text)
    switch (event.kind) {
      case 'submitted':
        return `${event.spec.name} (${event.job}) was submitted at ${event.node}`
      case 'state':
        return `${style(styleOf(event.state), event.state)}${event.reason && `: ${event.reason}`}`
      case 'led':
        return event.term === 1 ? undefined : `${event.node} leads the job now`
      case 'taskStarted':
        return `${this.#paint(event.task)} runs on ${event.node}${event.attempt > 0 ? `, attempt ${event.attempt + 1}` : ''}`
      case 'taskEnded':
        return event.reason === ''
          ? `${this.#paint(event.task)} is done`
          : `${this.#paint(event.task)} ${style('red', 'ended')}: ${event.reason}`
      case 'metrics':
        return this.#metrics(event)
      case 'log':
        return this.log(event)
      case 'trialEnded':
        return `trial ${event.trial} ${event.state} on ${event.node}${event.value === undefined ? '' : `: ${measured(event.value)}`}  ${style('dim', JSON.stringify(event.params))}`
      case 'traffic':
        return undefined
      case 'node':
        return event.state === 'lost'
          ? `${style('red', 'lost')} ${event.node}: nothing is heard of it`
          : `${event.node} is back`
    }
  }

  /** A line that a task wrote. */
  log({ task, stream, line }: Extract<JobEvent, { kind: 'log' }>): string {
    return `${this.#paint(task)} ${stream === 'stderr' ? this.#terminal.style('yellow', line) : line}`
  }

  #metrics({ task, trial, step, values, at }: Extract<JobEvent, { kind: 'metrics' }>): string | undefined {
    const before = this.#said.get(task)
    if (before !== undefined && at - before < metricsEveryMs) return undefined
    this.#said.set(task, at)
    const of = trial === undefined ? '' : `trial ${trial}  `
    const numbers = Object.entries(values).map(([name, value]) => `${name} ${measured(value)}`)
    return `${this.#paint(task)} ${of}step ${measured(step)}  ${numbers.join('  ')}`
  }
}
