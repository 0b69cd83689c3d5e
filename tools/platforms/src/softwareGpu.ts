// The software GPU, for programs of the workspace outside of the tools.
export { offerSoftwareGpu } from '../../softwareGpu.ts'
