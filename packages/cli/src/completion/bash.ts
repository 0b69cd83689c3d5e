// Completion for bash: a function that finds out which command the words name, and offers what may follow it.
import type { Place } from './tree.ts'

/** A script to be sourced by bash. */
export function bashCompletion(places: readonly Place[]): string {
  return `# bash completion for shoal. In ~/.bashrc: eval "$(shoal completion bash)"
_shoal() {
  local word path= cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${stepsOf(places)
  .map(({ from, word, to }) => `      '${from} ${word}') path='${to}' ;;`)
  .join('\n')}
    esac
  done
  case "$path $prev" in
${valuesOf(places)
  .map(({ path, name, choices }) =>
    choices.length > 0
      ? `    '${path} ${name}') COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$cur")); return ;;`
      : `    '${path} ${name}') COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
  )
  .join('\n')}
  esac
  case "$path" in
${places.map((place) => `    '${place.path}') COMPREPLY=($(compgen -W '${wordsOf(place).join(' ')}' -- "$cur")) ;;`).join('\n')}
  esac
}
complete -o default -F _shoal shoal
`
}

/** Which word leads from which place to which other. */
export const stepsOf = (
  places: readonly Place[],
): readonly { readonly from: string; readonly word: string; readonly to: string }[] =>
  places
    .filter(({ path }) => path !== '')
    .map(({ path }) => {
      const words = path.split(' ')
      return { from: words.slice(0, -1).join(' '), word: words.at(-1)!, to: path }
    })

const valuesOf = (places: readonly Place[]) =>
  places.flatMap(({ path, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ names, choices }) => names.map((name) => ({ path, name, choices }))),
  )

const wordsOf = ({ commands, flags }: Place): readonly string[] => [
  ...commands.map(({ name }) => name),
  ...flags.flatMap(({ names }) => names),
]
