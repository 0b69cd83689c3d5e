// Whether this process runs the command as it lies in its package.
import { realpathSync } from 'node:fs'
import { ownProgram } from '../agent/ownProgram.ts'

/** Is this process the command as it lies in its package, and can a process of this system become another program? */
export const canBecomeLight = (): boolean => {
  const { execve, argv } = process
  return (
    execve !== undefined && argv[1] !== undefined && realpathSync(argv[1]) === ownProgram().program.at(-1)
  )
}
