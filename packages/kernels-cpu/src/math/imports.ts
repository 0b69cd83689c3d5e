// What modules import of the host's mathematics.

/** What a module that uses `sin`, `cos` or `tan` imports as `math`: they are called where arguments are huge. */
export const mathImports: Readonly<Record<'sin' | 'cos' | 'tan', (x: number) => number>> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
}
