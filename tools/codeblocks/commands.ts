// A shell block as what is to run of it: the commands by which a reader sets the project up are run elsewhere.

/** The commands that fetch and set up the repository: whoever runs these checks has done them already. */
const setUp = [/^git clone /, /^cd shoal$/, /^npm start$/, /^npm test$/, /^(npx -y )?pnpm\S* install\b/]

/** A shell block in two parts. */
export interface Commands {
  /** The lines known as set-up. */
  readonly known: readonly string[]
  /** What is left to run; empty when only comments remain. */
  readonly script: string
}

/** Parts the set-up commands of a shell block from the rest. */
export function splitCommands(code: string): Commands {
  const lines = code.split('\n')
  const isSetUp = (line: string) => {
    const command = line.replace(/\s+#.*$/, '').trim()
    return setUp.some((pattern) => pattern.test(command))
  }
  const rest = lines.filter((line) => !isSetUp(line))
  const empty = rest.every((line) => /^\s*(#.*)?$/.test(line))
  return { known: lines.filter(isSetUp).map((line) => line.trim()), script: empty ? '' : rest.join('\n') }
}
