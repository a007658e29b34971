/** The monotonic clock, which all processes of the machine read alike: milliseconds since some time in the past. */
export function machineMs (): number {
  const [seconds, nanoseconds] = process.hrtime()
  return 1000 * seconds + nanoseconds / 1e6
}
