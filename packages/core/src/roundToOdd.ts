// Rounding to odd: what makes a number shorter in two steps, through a format between, without rounding it twice.

const f64 = new Float64Array(1)
const u64 = new BigUint64Array(f64.buffer)
const f32 = new Float32Array(1)
const u32 = new Uint32Array(f32.buffer)

/**
 * An integer as a float64: itself where it is one, else whichever of its two neighbours has an odd last bit. Rounding the answer to the nearest
 * number of a format at least two bits shorter is the same as rounding x (Boldo and Melquiond, 2008, "Emulation of FMA and correctly rounded sums").
 */
export function oddFloat64(x: bigint): number {
  f64[0] = Number(x)
  const nearest = f64[0]
  if (!Number.isFinite(nearest) || BigInt(nearest) === x) return nearest
  // The number before it, towards zero, has its bits less one.
  if (x < 0n ? BigInt(nearest) < x : BigInt(nearest) > x) u64[0]!--
  u64[0]! |= 1n
  return f64[0]
}

/** The bits of a float64 as a float32, rounded to odd in the same way; not for NaN. */
export function oddFloat32Bits(x: number): number {
  f32[0] = x
  const nearest = f32[0]
  if (nearest === x) return u32[0]!
  if (Math.abs(nearest) > Math.abs(x)) u32[0]!--
  return (u32[0]! | 1) >>> 0
}
