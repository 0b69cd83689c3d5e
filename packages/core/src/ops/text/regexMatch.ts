// Runs a compiled pattern over a text: all ways to match advance together, one character at a time.
import type { Instruction } from './regularExpression.ts'

/** A way to match so far: where it is in the program, and where the groups began and ended. */
interface Thread {
  readonly at: number
  readonly saved: readonly number[]
}

/** Positions (in code points) of the first match at or after `start`: begin and end of the whole, then of each group; undefined for none. Of matches from one place the one that the pattern prefers. */
export function firstMatch(
  program: readonly Instruction[],
  text: readonly number[],
  start: number,
): readonly number[] | undefined {
  let threads: Thread[] = []
  let found: readonly number[] | undefined
  for (let position = start; position <= text.length; position++) {
    const seen = new Set<number>()
    const ready: Thread[] = []
    for (const thread of threads) follow(program, thread, position, text.length, seen, ready)
    // A match that begins further left is preferred, so a new one begins last, and not once one is found.
    if (!found) follow(program, { at: 0, saved: [] }, position, text.length, seen, ready)
    threads = []
    for (const { at, saved } of ready) {
      const instruction = program[at]!
      if (instruction.op === 'match') {
        found = saved
        // Later threads are less preferred.
        break
      }
      if (instruction.op === 'character' && position < text.length && instruction.accepts(text[position]!))
        threads.push({ at: at + 1, saved })
    }
    if (found && threads.length === 0) break
  }
  return found
}

/** Follows a thread to all the instructions that read a character or match, most preferred first; each is reached once per position. */
function follow(
  program: readonly Instruction[],
  from: Thread,
  position: number,
  end: number,
  seen: Set<number>,
  ready: Thread[],
): void {
  const stack: Thread[] = [from]
  for (let thread = stack.pop(); thread; thread = stack.pop()) {
    const { at, saved } = thread
    if (seen.has(at)) continue
    seen.add(at)
    const instruction = program[at]!
    switch (instruction.op) {
      case 'jump':
        stack.push({ at: instruction.to, saved })
        break
      case 'split':
        stack.push({ at: instruction.second, saved }, { at: instruction.first, saved })
        break
      case 'save': {
        const changed = [...saved]
        changed[instruction.slot] = position
        stack.push({ at: at + 1, saved: changed })
        break
      }
      case 'begin':
        if (position === 0) stack.push({ at: at + 1, saved })
        break
      case 'end':
        if (position === end) stack.push({ at: at + 1, saved })
        break
      default:
        ready.push(thread)
    }
  }
}
