// What the command needs to make the agent a service of a machine.
export { type RunCommand, ServiceError } from './command.ts'
export { installService, type InstallOptions, removeService, type ServicePlace } from './install.ts'
export { serviceUnit, type ServiceManager, type ServiceProgram, unitName, type UnitOptions } from './unit.ts'
