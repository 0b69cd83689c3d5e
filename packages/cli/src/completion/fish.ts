// Completion for fish: a rule for each word, which holds at one place of the tree of commands.
import { stepsOf } from './bash.ts'
import type { Flag, Place } from './tree.ts'

/** A script to be sourced by fish. */
export function fishCompletion(places: readonly Place[]): string {
  return `# fish completion for shoal. In ~/.config/fish/config.fish: shoal completion fish | source
function __shoal_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    switch "$path $word"
${stepsOf(places)
  .map(({ from, word, to }) => `      case ${quoted(`${from} ${word}`)}\n        set path ${quoted(to)}`)
  .join('\n')}
    end
  end
  test "$path" = "$argv[1]"
end
complete -c shoal -e
${places.flatMap(rules).join('\n')}
`
}

function rules({ path, commands, flags }: Place): readonly string[] {
  const at = `complete -c shoal -n ${quoted(`__shoal_at '${path}'`)}`
  return [
    // Files are offered where no command can follow.
    ...commands.map(({ name, about }) => `${at} -f -a ${quoted(name)} -d ${quoted(about)}`),
    ...flags.map((flag) => `${at} ${spelling(flag)} -d ${quoted(flag.about)}`),
  ]
}

const spelling = ({ names, takesValue, choices }: Flag): string =>
  [
    ...names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)),
    ...(takesValue ? ['-r'] : []),
    ...(choices.length > 0 ? [`-f -a ${quoted(choices.join(' '))}`] : []),
  ].join(' ')

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
