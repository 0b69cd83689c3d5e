// What programs need that say how they do over gRPC, and to whom no session belongs.
export type { ControlOptions } from './control/controlOptions.ts'
export { type Control, startControl } from './control/startControl.ts'
