// Polynomials as WGSL writes them, by Horner's rule.

/**
 * The value of a polynomial at `x`, a name in WGSL; coefficients begin with that of the highest power.
 * Written with `fma`, which may round once or twice: the bounds of all functions here hold either way.
 */
export const polynomial = (x: string, [highest = 0, ...others]: readonly number[]): string =>
  others.reduce((sum, coefficient) => `fma(${sum}, ${x}, ${number(coefficient)})`, number(highest))

/** A number that is not an integer, or one that is, as a literal of a float. */
const number = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value))
