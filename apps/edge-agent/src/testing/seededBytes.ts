// Bytes that look random, the same in every run.

/** Answers other bytes at each call: those of a linear congruential generator (Numerical Recipes, 3rd edition, section 7.1). */
export function seededBytes(seed: number): (length: number) => Uint8Array {
  let state = seed
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    })
}
