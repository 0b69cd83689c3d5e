// A markdown page as the code that it shows.

/** One fenced block of code. */
export interface CodeBlock {
  /** The first word after the fence, in lower case: `ts`, `bash`, `json`; empty if there is none. */
  readonly language: string
  /** The words after the language. */
  readonly words: readonly string[]
  /** The line of the page, counted from 1, where the code begins (the line after the fence). */
  readonly line: number
  readonly code: string
}

const opening = /^( {0,3}|[ \t]+)(`{3,}|~{3,})\s*(\S*)\s*(.*)$/

/** The fenced blocks of a markdown page, in order. A fence that is never closed lasts to the end of the page. */
export function extractBlocks(markdown: string): readonly CodeBlock[] {
  const lines = markdown.split(/\r?\n/)
  const blocks: CodeBlock[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', fence = '', language = '', rest = ''] = opening.exec(lines[at] ?? '') ?? []
    if (fence === '' || rest.includes('`')) continue
    const first = at + 1
    const closes = (line: string) => line.trim().startsWith(fence) && /^(`+|~+)$/.test(line.trim())
    while (++at < lines.length && !closes(lines[at] ?? ''));
    const unindented = lines
      .slice(first, at)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    blocks.push({
      language: language.toLowerCase(),
      words: rest.split(/\s+/).filter(Boolean),
      line: first + 1,
      code: unindented.join('\n'),
    })
  }
  return blocks
}
