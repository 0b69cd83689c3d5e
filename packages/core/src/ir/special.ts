// Special functions of one float64, from series and continued fractions that hold to about 1e-14: what every device is compared with.

/** ζ(s, x) = Σ 1/(x + k)^s for s > 1, x > 0, by Euler–Maclaurin summation (DLMF 25.11.9 and 2.10.1). */
export function hurwitzZeta(s: number, x: number): number {
  const direct = 10
  let sum = 0
  for (let k = 0; k < direct; k++) sum += (x + k) ** -s
  const y = x + direct
  sum += y ** (1 - s) / (s - 1) + y ** -s / 2
  // Σ B(2j)/(2j)! · s(s+1)…(s+2j-2) / y^(s+2j-1)
  let term = s * y ** (-s - 1)
  bernoulliOverFactorial.forEach((b, j) => {
    sum += b * term
    term *= ((s + 2 * j + 1) * (s + 2 * j + 2)) / (y * y)
  })
  return sum
}
/** B(2j)/(2j)! for j = 1, 2, … */
const bernoulliOverFactorial = [
  1 / 12,
  -1 / 720,
  1 / 30240,
  -1 / 1209600,
  1 / 47900160,
  -691 / 1307674368000,
  1 / 74724249600,
  -3617 / 10670622842880000,
]

/** Σ coefficients[k] · x^k. */
const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, c) => sum * x + c, 0)

/** e^(-x²), with the rounding error of x² made good. */
function gaussian(x: number): number {
  const high = Math.fround(x)
  return Math.exp(-high * high) * Math.exp((high - x) * (high + x))
}

/** The error function, 2/√π ∫₀ˣ e^(-t²) dt. */
export function erf(x: number): number {
  if (Math.abs(x) > 2) return Math.sign(x) * (1 - erfc(Math.abs(x)))
  // e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!: no term cancels another (DLMF 7.6.2).
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * gaussian(x) * sum
}

/** 1 - erf(x), without the cancellation for large x. */
export function erfc(x: number): number {
  if (x < 0.5) return 1 - erf(x)
  if (x > 28) return 0
  if (x !== x) return x
  // e^(-x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), from the far end (DLMF 7.9.4).
  let tail = x
  for (let k = Math.ceil(20 + 160 / (x * x)); k >= 1; k--) tail = x + k / 2 / tail
  return gaussian(x) / Math.sqrt(Math.PI) / tail
}

/** The inverse of erf on [-1, 1]; NaN outside. */
export function erfinv(y: number): number {
  const rest = 1 - Math.abs(y)
  if (!(rest >= 0)) return Number.NaN
  if (rest === 0) return y * Number.POSITIVE_INFINITY
  if (y === 0) return y
  // Winitzki's approximation, good to 0.4 %, then Halley's rule on whichever of erf and erfc is small.
  const log = Math.log1p(-y * y)
  const half = 2 / (Math.PI * 0.147) + log / 2
  let x = Math.sqrt(Math.sqrt(half * half - log / 0.147) - half)
  const target = Math.abs(y)
  for (let step = 0; step < 3; step++) {
    const error = target < 0.5 ? erf(x) - target : rest - erfc(x)
    const newton = error / ((2 / Math.sqrt(Math.PI)) * gaussian(x))
    x -= newton / (1 + x * newton)
  }
  return Math.sign(y) * x
}

/** sin(πx), exact where x is a whole or half number. */
function sinPi(x: number): number {
  const r = x - 2 * Math.round(x / 2)
  return Math.abs(r) <= 0.25
    ? Math.sin(Math.PI * r)
    : Math.abs(r) <= 0.75
      ? Math.sign(r) * Math.cos(Math.PI * (Math.abs(r) - 0.5))
      : Math.sign(r) * Math.sin(Math.PI * (1 - Math.abs(r)))
}

// log Γ(2 + z) = (1 - γ)z + Σ (-1)^k (ζ(k) - 1) z^k / k for |z| ≤ 1/2 (DLMF 5.7.3); ζ(k) - 1 = ζ(k, 2).
const euler = 0.5772156649015328606
const aroundTwo = [
  0,
  1 - euler,
  ...Array.from({ length: 30 }, (_, i) => ((-1) ** i * hurwitzZeta(i + 2, 2)) / (i + 2)),
]

/** log |Γ(x)|; Infinity at 0, -1, -2, … */
export function lgamma(x: number): number {
  if (x !== x) return x
  if (Math.abs(x) === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  if (x < 0.5) {
    if (x <= 0 && Number.isInteger(x)) return Number.POSITIVE_INFINITY
    return x > -0.5
      ? lgamma(1 + x) - Math.log(Math.abs(x))
      : Math.log(Math.PI / Math.abs(sinPi(x))) - lgamma(1 - x)
  }
  if (x < 1.5) return polynomial(aroundTwo, x - 1) - Math.log1p(x - 1)
  if (x < 12) {
    let [y, product] = [x, 1]
    while (y > 2.5) product *= --y
    return Math.log(product) + polynomial(aroundTwo, y - 2)
  }
  // Stirling's series (DLMF 5.11.1).
  const r = 1 / (x * x)
  const series =
    polynomial([1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400], r) /
    x
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series
}

// The positive root of digamma as a sum of two numbers, and ψ around it: Σ (-1)^(n+1) ζ(n+1, root) dⁿ (DLMF 5.15.1).
const rootHigh = 1.4616321449683623
const rootLow = 9.549995429965697e-17
const aroundRoot = [0, ...Array.from({ length: 26 }, (_, i) => (-1) ** i * hurwitzZeta(i + 2, rootHigh))]

/** ψ(x), the derivative of log Γ; NaN at 0, -1, -2, … */
export function digamma(x: number): number {
  if (x <= 0) {
    if (Number.isInteger(x) || x === Number.NEGATIVE_INFINITY) return Number.NaN
    return digamma(1 - x) - (Math.PI * sinPi(x + 0.5)) / sinPi(x)
  }
  if (Math.abs(x - rootHigh) < 0.3) return polynomial(aroundRoot, x - rootHigh - rootLow)
  let shift = 0
  let y = x
  for (; y < 12; y++) shift -= 1 / y
  const r = 1 / (y * y)
  // log y - 1/(2y) - Σ B(2k)/(2k y^2k) (DLMF 5.11.2)
  return (
    shift +
    Math.log(y) -
    0.5 / y -
    r * polynomial([1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160], r)
  )
}

/** The special functions that scalar expressions know, by their names there. */
export const special = { erf, erfc, erfinv, lgamma, digamma }
