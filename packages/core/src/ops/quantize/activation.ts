// Quantised activations: seven bits, which every machine multiplies alike (see `quantizedMatmul`).
import { AttrError } from '../../errors.ts'

/** The least and the greatest value of a quantised activation. */
export const activationRange = [0, 127] as const

/** @throws AttrError for a zero point that is no activation. */
export function demandActivation(zeroPoint: number): void {
  const [min, max] = activationRange
  if (zeroPoint < min || zeroPoint > max)
    throw new AttrError(`zeroPoint ${zeroPoint} must lie within ${min}…${max}`)
}
