// Time as the user of a GPU has it: runs are sent off one after the other, and the clock is read when the last is through.
import type { Runs, Side } from '../contender.ts'

/** Times runs on a GPU. @param done resolves when it is through with all that it was sent */
export const gpuSideOf = ({ run, result, close }: Runs, done: () => Promise<unknown>): Side => ({
  async sample(repeats) {
    await done()
    const start = performance.now()
    for (let i = 0; i < repeats; i++) await run()
    await done()
    return (performance.now() - start) / repeats
  },
  result,
  close: async () => close?.(),
})
