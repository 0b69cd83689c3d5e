// Completion for zsh: as for bash, with what each word means beside it.
import { stepsOf } from './bash.ts'
import type { Flag, Place } from './tree.ts'

/** A script to be sourced by zsh, or put into a folder of its functions as _shoal. */
export function zshCompletion(places: readonly Place[]): string {
  return `#compdef shoal
# zsh completion for shoal. In ~/.zshrc: eval "$(shoal completion zsh)"
_shoal() {
  local word where=
  local -a commands flags
  for word in \${words[2,CURRENT-1]}; do
    case "$where $word" in
${stepsOf(places)
  .map(({ from, word, to }) => `      ${quoted(`${from} ${word}`)}) where=${quoted(to)} ;;`)
  .join('\n')}
    esac
  done
  case "$where \${words[CURRENT-1]}" in
${places
  .flatMap(({ path, flags }) => flags.filter(({ takesValue }) => takesValue).map((flag) => value(path, flag)))
  .join('\n')}
  esac
  case "$where" in
${places.map(offers).join('\n')}
  esac
  (( $#commands )) && _describe -t commands command commands
  if [[ $PREFIX == -* ]]; then _describe -t flags flag flags; elif (( ! $#commands )); then _files; fi
}
compdef _shoal shoal
`
}

const value = (path: string, { names, choices }: Flag): string => {
  const then = choices.length > 0 ? `compadd -- ${choices.join(' ')}` : '_files'
  return `    ${names.map((name) => quoted(`${path} ${name}`)).join('|')}) ${then}; return ;;`
}

const offers = ({ path, commands, flags }: Place): string => {
  const said = (name: string, about: string): string => quoted(`${name}:${about.replaceAll(':', '\\:')}`)
  const words = commands.map(({ name, about }) => said(name, about)).join(' ')
  const options = flags.flatMap(({ names, about }) => names.map((name) => said(name, about))).join(' ')
  return `    ${quoted(path)}) commands=(${words}); flags=(${options}) ;;`
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
