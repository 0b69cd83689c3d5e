// How an exchange among equals fails: for all of them, and without a result.
import { ShoalError } from '@shoal/core'

/**
 * A generation of a group is over: a member died, gave up, or asked for something else than the others. What was being exchanged is handed
 * out to nobody; under the next generation the same step is done again.
 */
export class ExchangeError extends ShoalError {
  override readonly name: string = 'ExchangeError'
}
