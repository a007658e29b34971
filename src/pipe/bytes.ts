/** How large a message is: the bytes of its arrays of pixels and features, beside which all else is little. */

export function bytesOf (message: unknown): number {
  if (ArrayBuffer.isView(message)) return message.byteLength
  if (typeof message !== 'object' || message === null) return 0
  if (Array.isArray(message) && typeof message[0] === 'number') return 0 // codes, which are many and small
  return Object.values(message).reduce((sum: number, value) => sum + bytesOf(value), 0)
}
