// What modules import of the host's mathematics.

/** What modules import as `math`, in float64: `sin`, `cos` and `tan` also where float32 arguments are huge. */
export const mathImports: Readonly<Record<'sin' | 'cos' | 'tan' | 'exp' | 'log', (x: number) => number>> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  exp: Math.exp,
  log: Math.log,
}
