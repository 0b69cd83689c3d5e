// Some numbers as one word: a block for each, as high as the number is large.

const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/**
 * At most so many letters, the last for the newest numbers; where there are more numbers than letters, each letter is a mean. A space stands
 * for what is not finite.
 */
export function sparkline(values: readonly number[], columns: number): string {
  const shown = values.length <= columns ? values : means(values, columns)
  const finite = shown.filter(Number.isFinite)
  const low = Math.min(...finite)
  const high = Math.max(...finite)
  const heightOf = (value: number): number =>
    high > low ? Math.round(((value - low) / (high - low)) * (blocks.length - 1)) : blocks.length >> 1
  return shown.map((value) => (Number.isFinite(value) ? blocks[heightOf(value)]! : ' ')).join('')
}

/** Neighbours put together until there are so many. */
function means(values: readonly number[], count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => {
    const part = values.slice(
      Math.floor((i * values.length) / count),
      Math.floor(((i + 1) * values.length) / count),
    )
    return part.reduce((sum, value) => sum + value, 0) / part.length
  })
}
