// A stream that people read: how wide it is, whether it can be drawn on, and colours where it shows them.
import { styleText } from 'node:util'

/** The part of a stream that is needed: `process.stdout`, or what a test gives. */
export type Screen = NodeJS.WritableStream & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** A name of a colour or a way to write: 'bold', 'dim', 'red'. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'gray'

/** A stream that people read. */
export class Terminal {
  readonly screen: Screen

  constructor(screen: Screen) {
    this.screen = screen
  }

  /** Can lines be drawn over? Not where nobody knows how wide they are: a terminal without a window says 0. */
  get isTerminal(): boolean {
    return this.screen.isTTY === true && this.screen.columns !== 0
  }

  /** Letters that fit in a line; undefined where lines have no end. */
  get columns(): number | undefined {
    return this.isTerminal ? (this.screen.columns ?? 80) : undefined
  }

  get rows(): number {
    return this.screen.rows ?? 24
  }

  /** Writes lines. */
  print(...lines: readonly string[]): void {
    if (lines.length > 0) this.screen.write(`${lines.join('\n')}\n`)
  }

  /** The text in a style, where the stream shows any: on a terminal, unless NO_COLOR forbids. */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.screen as NodeJS.WriteStream })
  }
}
