// What programs need that measure a machine.
export { runSelfTest, type SelfTest } from './selfTest.ts'
