/** Messages of JSON-RPC as they came, and what of them is refused before the protocol's library reads them. */

type Refusal = { status: number; message: { jsonrpc: '2.0'; id: unknown; error: { code: number; message: string } } }

/**
 * Several calls in one request, which would be counted as one, and arguments that are none, which the library refuses
 * in words of its own.
 */
export function refusalOf (body: unknown): Refusal | undefined {
  const calls = [body].flat().filter(message => fieldOf(message, 'method') === 'tools/call')
  if (calls.length > 1) return refusal(400, null, -32600, 'A request holds one call of a tool, not several')
  if (Array.isArray(body) || calls.length === 0) return
  const id = fieldOf(body, 'id')
  const sent = fieldOf(fieldOf(body, 'params'), 'arguments')
  const isObject = typeof sent === 'object' && sent !== null && !Array.isArray(sent)
  if (id === undefined || sent === undefined || isObject) return
  return refusal(200, id, -32602, 'The arguments of a tool are an object')
}

function refusal (status: number, id: unknown, code: number, message: string): Refusal {
  return { status, message: { jsonrpc: '2.0', id, error: { code, message } } }
}

export function fieldOf (value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
