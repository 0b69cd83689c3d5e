// What a page is told of itself: the process that serves it has it in its environment, and the tests in the page are provided with it.

/** One page, and what must be true of it. */
export interface Page {
  /** What is tested in it. */
  readonly device: 'cpu' | 'webgpu'
  /** May it share memory with its workers? */
  readonly isolated: boolean
  /** What `bits()` answers in Node. */
  readonly bits: string
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly page: Page
  }
}

const variable = 'SHOAL_PAGE'

/** A page as the environment of the process that serves it. */
export const asEnvironment = (page: Page): Readonly<Record<string, string>> => ({
  [variable]: JSON.stringify(page),
})

/** The page that this process was started to serve. @throws Error when it was started without one. */
export function pageFromEnvironment(): Page {
  const text = process.env[variable]
  if (text === undefined) throw new Error(`${variable} is not set: npm test sets it`)
  return JSON.parse(text) as Page
}
