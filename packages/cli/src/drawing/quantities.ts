// Quantities as people read them: three digits that count, and a unit.

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `0 B`, `999 B`, `1.5 KiB`, `512 MiB`. */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  // 1023.6 would be written as 1024.
  while (Math.abs(value) >= 1023.5 && unit < binary.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? Math.round(value) : digits(value)} ${binary[unit]}`
}

/** Bytes per second: `12.5 MiB/s`. */
export const byteRate = (perSecond: number): string => `${bytes(perSecond)}/s`

/** Anything per second: `0.25/s`, `1,250/s`. */
export const rate = (perSecond: number): string =>
  `${perSecond >= 1000 ? Math.round(perSecond).toLocaleString('en') : digits(perSecond)}/s`

/** A length of time in milliseconds, by its two largest units: `380 ms`, `4.2 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const [minutes, hours, days] = [seconds / 60, seconds / 3600, seconds / 86_400].map(Math.floor) as [
    number,
    number,
    number,
  ]
  if (hours === 0) return two(minutes, 'm', seconds % 60, 's')
  if (days === 0) return two(hours, 'h', minutes % 60, 'm')
  return two(days, 'd', hours % 24, 'h')
}

const two = (large: number, unit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`

/** A measured number: `0.0312`, `2.35`, `1,250`, `1.20e-7`; whole ones as they are. */
export function measured(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e9) return value.toLocaleString('en')
  if (size !== 0 && (size < 1e-3 || size >= 1e9)) return value.toExponential(2)
  return size >= 1000 ? Math.round(value).toLocaleString('en') : digits(value)
}

/** Part of a whole: `7 %`. */
export const percent = (part: number): string => `${Math.round(100 * part)} %`

/** Three digits that count, without an exponent; zeros at the end of whole numbers go. */
function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return String(Math.round(value))
  const places = size >= 10 ? 1 : size >= 1 || size === 0 ? 2 : 2 - Math.floor(Math.log10(size))
  const text = value.toFixed(places)
  return Number.isInteger(Number(text)) ? String(Number(text)) : text
}
