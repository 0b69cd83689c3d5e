import { open } from 'node:fs/promises'
import { connect } from 'node:net'
import { DeviceLostError, NonFiniteError, OutOfMemoryError, ValueError } from '@shoal/core'
import { CheckpointError } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../cluster/clusterError.ts'
import {
  CancelledError,
  ConnectError,
  ConnectionLostError,
  DeadlineError,
  SecurityError,
  UnavailableError,
} from '../errors.ts'
import { exitCodeOf, TerminatedError } from './exitCode.ts'

const systemError = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'write' })

describe('the exit code of a program', () => {
  it('is 0 when it has done its work', () => {
    expect(exitCodeOf(undefined)).toBe(0)
  })

  it.each([
    new UnavailableError('a task is gone'),
    new ConnectionLostError('the stream ended'),
    new ConnectError('refused'),
    new DeadlineError('nobody came'),
    new DeviceLostError('the GPU was reset'),
    systemError('ENOSPC'),
    systemError('EADDRINUSE'),
    new Error('the program says so', { cause: new UnavailableError('a task is gone') }),
  ])('asks for another start: %s', (error) => {
    expect(exitCodeOf(error)).toBeGreaterThanOrEqual(128)
    expect(exitCodeOf(error)).toBeLessThanOrEqual(255)
  })

  it.each([
    new ValueError('no such option'),
    new ClusterError('no such task'),
    new SecurityError('a stranger'),
    new CheckpointError('it does not fit'),
    new NonFiniteError('the loss is NaN'),
    new OutOfMemoryError('a batch is too large'),
    new ValueError('said by a peer', { cause: new ConnectionLostError('afterwards') }),
    new TypeError('a bug'),
    systemError('EACCES'),
    Object.assign(new Error('not of the system'), { code: 'ENOSPC' }),
    'a text',
    null,
  ])('asks for none: %s', (error) => {
    expect(exitCodeOf(error)).toBeGreaterThanOrEqual(1)
    expect(exitCodeOf(error)).toBeLessThanOrEqual(127)
  })

  it('is that of the signal which asked the process to end', () => {
    const terminated = new TerminatedError('SIGTERM')
    expect(exitCodeOf(terminated)).toBe(143)
    expect(exitCodeOf(new TerminatedError('SIGINT'))).toBe(130)
    expect(exitCodeOf(new CancelledError('a step was withdrawn', { cause: terminated }))).toBe(143)
    expect(exitCodeOf(new CancelledError('a step was withdrawn'))).toBe(1)
    const closed = new CancelledError('it was withdrawn', { cause: new ValueError('a mistake') })
    expect(exitCodeOf(closed)).toBe(1)
  })

  it('knows errors of the system as Node makes them', async () => {
    const full = await open('/dev/full', 'w')
    const written = full.write('x')
    expect(exitCodeOf(await written.catch((error: unknown) => error))).toBe(138)
    await full.close()
    const refused = await new Promise((resolve) => connect(1, '127.0.0.1').once('error', resolve))
    expect(exitCodeOf(refused)).toBe(138)
  })

  it('does not lose itself in an error that is its own cause', () => {
    const error = new Error('round')
    error.cause = new Error('and round', { cause: error })
    expect(exitCodeOf(error)).toBe(1)
  })
})
