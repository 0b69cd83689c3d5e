// Text as a terminal shows it: wide letters take two columns, colours and joined letters none of their own.
import sliceAnsi from 'slice-ansi'
import stringWidth from 'string-width'

/** How many columns a line of text takes. */
export const widthOf = (text: string): number => stringWidth(text)

/** The text if it takes at most so many columns, otherwise its beginning and `…`. Colours are ended properly. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  return columns < 1 ? '' : `${sliceAnsi(text, 0, columns - 1)}…`
}

/** The text with spaces until it takes so many columns; longer ones stay as they are. */
export function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, columns - widthOf(text)))
  return align === 'left' ? text + spaces : spaces + text
}
