/** When a server that refused is worth another try. */

/** Seconds, of a number of them or of a date, which proxies write; what is neither counts as none. */
export function retryAfterOf (header: string | null | undefined): number | undefined {
  if (header === null || header === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header)
  const at = /[a-z]{3}/i.test(header) ? Date.parse(header) : NaN // which takes `-1` for a date, too
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000)
}
