// How a run is judged: what it promises is said aloud, and a promise that was not kept makes the process fail.

/** Prints whether a claim holds, with the figures that show it. One that does not makes the exit code 1. */
export function expectThat(claim: string, holds: boolean, figures: string): void {
  console.log(`${holds ? 'ok    ' : 'FAILED'}  ${claim}: ${figures}`)
  if (!holds) process.exitCode = 1
}
