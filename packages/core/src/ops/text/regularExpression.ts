// Regular expressions as programs for a machine that reads each character once: no pattern can make it slow (Thompson 1968, Pike's machine).
import { AttrError } from '../../errors.ts'

/** One instruction. Threads that `split` prefer the first way. */
export type Instruction =
  | { readonly op: 'character'; readonly accepts: (code: number) => boolean }
  | { readonly op: 'split'; readonly first: number; readonly second: number }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'begin' }
  | { readonly op: 'end' }
  | { readonly op: 'match' }

type Syntax =
  | { readonly kind: 'character'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Syntax[] }
  | { readonly kind: 'group'; readonly index: number; readonly part: Syntax }
  | {
      readonly kind: 'repeat'
      readonly part: Syntax
      readonly least: number
      readonly most: number
      readonly lazy: boolean
    }

const maxInstructions = 4096
const maxDepth = 64

const within =
  (low: string, high: string) =>
  (code: number): boolean =>
    code >= low.codePointAt(0)! && code <= high.codePointAt(0)!
const digit = within('0', '9')
const space = (code: number): boolean => ' \t\n\r\f\v'.includes(String.fromCodePoint(code))
const word = (code: number): boolean =>
  digit(code) || within('a', 'z')(code) || within('A', 'Z')(code) || code === 0x5f
const not =
  (accepts: (code: number) => boolean) =>
  (code: number): boolean =>
    !accepts(code)
const classes: Readonly<Record<string, (code: number) => boolean>> = {
  d: digit,
  D: not(digit),
  s: space,
  S: not(space),
  w: word,
  W: not(word),
}
const controls: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' }

/**
 * The program of a pattern: literals, `.`, `[a-z]`, `\d \w \s` and their opposites, `^ $`, groups `( )` and `(?: )`, `|`, and `* + ? {m,n}`, greedy or (with `?`) lazy.
 * @throws AttrError for anything else, and for patterns that would become too large.
 */
export function compilePattern(pattern: string): readonly Instruction[] {
  const program: Instruction[] = []
  new Compiler(pattern, program).emit({ kind: 'group', index: 0, part: new Parser(pattern).parse() })
  program.push({ op: 'match' })
  return program
}

class Parser {
  private readonly pattern: string
  private readonly text: readonly string[]
  private at = 0
  private groups = 0
  private depth = 0
  constructor(pattern: string) {
    this.pattern = pattern
    this.text = Array.from(pattern)
  }
  parse(): Syntax {
    const whole = this.choice()
    if (this.at < this.text.length) throw this.wrong("a ')' closes nothing")
    return whole
  }
  private wrong(why: string): AttrError {
    return new AttrError(`pattern ${JSON.stringify(this.pattern)}, character ${this.at + 1}: ${why}`)
  }
  private take(text: string): boolean {
    if (
      !this.text
        .slice(this.at, this.at + text.length)
        .join('')
        .startsWith(text)
    )
      return false
    this.at += text.length
    return true
  }
  private next(): string {
    const character = this.text[this.at]
    if (character === undefined) throw this.wrong('it ends too early')
    this.at++
    return character
  }
  private choice(): Syntax {
    if (++this.depth > maxDepth) throw this.wrong(`groups are nested deeper than ${maxDepth}`)
    const parts = [this.sequence()]
    while (this.take('|')) parts.push(this.sequence())
    this.depth--
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }
  private sequence(): Syntax {
    const parts: Syntax[] = []
    while (this.at < this.text.length && this.text[this.at] !== '|' && this.text[this.at] !== ')')
      parts.push(this.repeated(this.atom()))
    return { kind: 'sequence', parts }
  }
  private repeated(part: Syntax): Syntax {
    const bounds = this.bounds()
    if (!bounds) return part
    const [least, most] = bounds
    const lazy = this.take('?')
    if (this.bounds()) throw this.wrong('two repetitions follow each other: put the first into a group')
    return { kind: 'repeat', part, least, most, lazy }
  }
  private bounds(): readonly [number, number] | undefined {
    if (this.take('*')) return [0, Infinity]
    if (this.take('+')) return [1, Infinity]
    if (this.take('?')) return [0, 1]
    const counted = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.text.slice(this.at, this.at + 12).join(''))
    if (!counted) return undefined
    this.at += counted[0].length
    const least = Number(counted[1])
    const most = counted[2] === undefined ? least : counted[3] === '' ? Infinity : Number(counted[3])
    if (most < least) throw this.wrong(`{${least},${most}} asks for less than it allows`)
    return [least, most]
  }
  private atom(): Syntax {
    const character = this.next()
    switch (character) {
      case '^':
        return { kind: 'begin' }
      case '$':
        return { kind: 'end' }
      case '.':
        return { kind: 'character', accepts: (code) => code !== 0x0a }
      case '[':
        return { kind: 'character', accepts: this.set() }
      case '(':
        return this.group()
      case '\\':
        return { kind: 'character', accepts: this.escaped() }
      case '*':
      case '+':
      case '?':
        throw this.wrong(`'${character}' repeats nothing`)
      default:
        return { kind: 'character', accepts: literal(character) }
    }
  }
  private group(): Syntax {
    const silent = this.take('?:')
    if (!silent && this.text[this.at] === '?')
      throw this.wrong("of groups that begin with '?' only (?: ) is known")
    const index = silent ? -1 : ++this.groups
    const part = this.choice()
    if (!this.take(')')) throw this.wrong("a ')' is missing")
    return silent ? part : { kind: 'group', index, part }
  }
  private escaped(): (code: number) => boolean {
    const character = this.next()
    const known = Object.hasOwn(classes, character) ? classes[character] : undefined
    if (known) return known
    if (Object.hasOwn(controls, character)) return literal(controls[character]!)
    if (/[a-zA-Z0-9]/.test(character)) throw this.wrong(`\\${character} has no meaning here`)
    return literal(character)
  }
  private set(): (code: number) => boolean {
    const negated = this.take('^')
    const accepted: ((code: number) => boolean)[] = []
    for (let first = true; first || this.text[this.at] !== ']'; first = false) {
      const low = this.next()
      if (low === '\\') accepted.push(this.escaped())
      else if (
        this.text[this.at] === '-' &&
        this.text[this.at + 1] !== ']' &&
        this.at + 1 < this.text.length
      ) {
        this.at++
        const high = this.next()
        if (high.codePointAt(0)! < low.codePointAt(0)!) throw this.wrong(`the range ${low}-${high} is empty`)
        accepted.push(within(low, high))
      } else accepted.push(literal(low))
    }
    this.at++
    const any = (code: number): boolean => accepted.some((accepts) => accepts(code))
    return negated ? not(any) : any
  }
}

const literal = (character: string): ((code: number) => boolean) => {
  const wanted = character.codePointAt(0)!
  return (code) => code === wanted
}

class Compiler {
  private readonly pattern: string
  private readonly program: Instruction[]
  constructor(pattern: string, program: Instruction[]) {
    this.pattern = pattern
    this.program = program
  }
  emit(syntax: Syntax): void {
    switch (syntax.kind) {
      case 'character':
        this.push({ op: 'character', accepts: syntax.accepts })
        break
      case 'begin':
      case 'end':
        this.push({ op: syntax.kind })
        break
      case 'sequence':
        syntax.parts.forEach((part) => this.emit(part))
        break
      case 'choice':
        this.choose(syntax.parts)
        break
      case 'group':
        this.push({ op: 'save', slot: 2 * syntax.index })
        this.emit(syntax.part)
        this.push({ op: 'save', slot: 2 * syntax.index + 1 })
        break
      case 'repeat':
        this.repeat(syntax)
        break
      default:
        syntax satisfies never
    }
  }
  private push(instruction: Instruction): number {
    if (this.program.length >= maxInstructions)
      throw new AttrError(
        `pattern ${JSON.stringify(this.pattern)} is too large: it needs more than ${maxInstructions} instructions`,
      )
    return this.program.push(instruction) - 1
  }
  private choose([part, ...rest]: readonly Syntax[]): void {
    if (rest.length === 0) return this.emit(part!)
    const split = this.push({ op: 'match' })
    this.emit(part!)
    const jump = this.push({ op: 'match' })
    this.program[split] = { op: 'split', first: split + 1, second: this.program.length }
    this.choose(rest)
    this.program[jump] = { op: 'jump', to: this.program.length }
  }
  private repeat({ part, least, most, lazy }: Extract<Syntax, { kind: 'repeat' }>): void {
    const split = (at: number, enter: number, leave: number): void => {
      this.program[at] = lazy
        ? { op: 'split', first: leave, second: enter }
        : { op: 'split', first: enter, second: leave }
    }
    for (let i = 0; i < least; i++) this.emit(part)
    if (most === Infinity) {
      const loop = this.push({ op: 'match' })
      this.emit(part)
      this.push({ op: 'jump', to: loop })
      split(loop, loop + 1, this.program.length)
      return
    }
    const exits: number[] = []
    for (let i = least; i < most; i++) {
      exits.push(this.push({ op: 'match' }))
      this.emit(part)
    }
    exits.forEach((at) => split(at, at + 1, this.program.length))
  }
}
