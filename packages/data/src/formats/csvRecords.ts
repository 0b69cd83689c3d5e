// CSV before it has types: records of strings, cut from a stream of text by papaparse.
import Papa from 'papaparse'
import { DataError } from '../errors.ts'

/** How the fields are told apart. */
export interface CsvDialect {
  /** Between fields; a comma when left out. */
  readonly delimiter?: string
  /** Around fields that hold delimiters, line ends or (doubled) quotes; `"` when left out. */
  readonly quote?: string
  /** What lines to pass over begin with; there are none when left out. */
  readonly comment?: string
  /** The longest record that is accepted, in characters; 1 Mi when left out. */
  readonly maxRecordLength?: number
}

/** A record and the line that it begins in, from 1. */
export interface CsvRecord {
  readonly fields: readonly string[]
  readonly line: number
}

interface Step {
  readonly data: readonly string[][]
  readonly errors: readonly { readonly message: string }[]
  readonly meta: { readonly cursor: number }
}

/**
 * The records of a text that comes in pieces; empty lines are passed over.
 * @throws DataError for quotes that do not close, or close in the middle of a field, and for records that are too long.
 */
export async function* csvRecords(
  pieces: AsyncIterable<string>,
  { delimiter = ',', quote = '"', comment, maxRecordLength = 2 ** 20 }: CsvDialect,
  file: string | undefined,
): AsyncGenerator<CsvRecord, void, undefined> {
  let line = 1

  function parse(text: string, last: boolean): { records: CsvRecord[]; rest: string } {
    const records: CsvRecord[] = []
    let begin = 0
    const step = ({ data, errors, meta }: Step): void => {
      for (; comment && text.startsWith(comment, begin); line++) begin = text.indexOf('\n', begin) + 1
      const fields = data[0]!
      if (errors[0])
        throw new DataError(`${errors[0].message}: ${text.slice(begin, begin + 80).trim()}`, { file, line })
      if (meta.cursor - begin > maxRecordLength) throw tooLong(line)
      // The parser is told \n, so that \r\n leaves its \r behind.
      const end = fields.at(-1)!
      if (end.endsWith('\r')) fields[fields.length - 1] = end.slice(0, -1)
      if (fields.length > 1 || fields[0] !== '') records.push({ fields, line })
      for (let at = text.indexOf('\n', begin); at >= 0 && at < meta.cursor; at = text.indexOf('\n', at + 1))
        line++
      begin = meta.cursor
    }
    const config = { delimiter, quoteChar: quote, newline: '\n' as const, comments: comment ?? false, step }
    new Papa.Parser(config as unknown as Papa.ParseConfig).parse(text, 0, !last)
    return { records, rest: text.slice(begin) }
  }
  const tooLong = (at: number): DataError =>
    new DataError(`a record of more than ${maxRecordLength} characters: is a quote missing?`, {
      file,
      line: at,
    })

  let rest = ''
  for await (const piece of pieces) {
    const parsed = parse(rest + piece, false)
    rest = parsed.rest
    yield* parsed.records
    if (rest.length > maxRecordLength) throw tooLong(line)
  }
  yield* parse(rest, true).records
}
