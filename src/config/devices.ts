/** Which devices engines may take, in order: the text of the variable as a list. */

/** What the text may be, in words. */
export const allowedDevices =
  'auto, or a list with commas of cpu, webgpu (any GPU), webgpu:0, webgpu:1, …: the first that can run a model has it'

const cudaIsGone =
  `${allowedDevices}; cuda is none: its provider is a download without a digest, and its cache would cross the bus ` +
  'at every token. NVIDIA cards are reached by webgpu, through their Vulkan driver'

/** The list, or in `allowed` what it must be. */
export function readDevices (text: string): { devices: string[] } | { allowed: string } {
  const devices = text.split(',').map(device => device.trim().toLowerCase())
  if (devices.some(device => /^cuda(:|$)/.test(device))) return { allowed: cudaIsGone }
  const isAuto = devices.length === 1 && devices[0] === 'auto'
  const areNames = devices.every(device => /^(cpu|webgpu(:(0|[1-9]\d?))?)$/.test(device))
  const areDistinct = new Set(devices).size === devices.length
  return isAuto || (areNames && areDistinct) ? { devices } : { allowed: allowedDevices }
}
