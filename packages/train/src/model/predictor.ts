// A model ready to be asked: a session of its own, in which the variables have their values.
import type { Device, FeedValue, NDArray } from '@shoal/core'
import { Session } from '@shoal/core'
import { ModelError } from './errors.ts'
import type { SavedModel, Signature } from './savedModel.ts'

/** Answers for inputs; close it when done, which gives its devices back. Made by `predictor`. */
export interface Predictor extends AsyncDisposable {
  readonly signature: Signature
  /**
   * All outputs for one value of each input. Programs are compiled once for each size of a batch.
   * @throws ModelError for inputs that are missing or unknown; ShapeError, DTypeError or ValueError for a value that does not fit; the reason of
   * `signal` once it aborts.
   */
  predict(
    feeds: Readonly<Record<string, FeedValue>>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Record<string, NDArray>>
}

/**
 * Makes a model ready to be asked.
 * @param options.devices in order of preference; they belong to the predictor from now on. Default: the reference device.
 */
export async function predictor(
  model: SavedModel,
  options: { readonly devices?: readonly Device[] } = {},
): Promise<Predictor> {
  const session = new Session(options)
  try {
    await model.initialize(session)
  } catch (error) {
    await session.close()
    throw error
  }
  return {
    signature: model.signature,
    predict: async (feeds, run = {}) => session.run(model.outputs, feedsOf(model, feeds), run),
    [Symbol.asyncDispose]: () => session.close(),
  }
}

function feedsOf({ inputs }: SavedModel, feeds: Readonly<Record<string, FeedValue>>) {
  const names = Object.keys(inputs)
  const takes = `the model takes ${names.join(', ') || 'no inputs'}`
  const unknown = Object.keys(feeds).find((name) => !Object.hasOwn(inputs, name))
  if (unknown !== undefined) throw new ModelError(`there is no input '${unknown}': ${takes}`)
  const missing = names.find((name) => !Object.hasOwn(feeds, name))
  if (missing !== undefined) throw new ModelError(`input '${missing}' is missing: ${takes}`)
  return names.map((name) => [inputs[name]!, feeds[name]!] as const)
}
