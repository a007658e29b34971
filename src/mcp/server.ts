/** One exchange of the Model Context Protocol: lists the tools, and calls them. No session outlives it. */
import {
  ProtocolError,
  ProtocolErrorCode,
  Server,
  createMcpHandler,
  type CallToolResult
} from '@modelcontextprotocol/server'
import type { Tell } from '../schemas/events.ts'
import type { Problem } from '../schemas/problem.ts'
import { isToolName, tools, type ToolName } from './tools.ts'

export type { CallToolResult }

export type Call = {
  /** Of the message that asks for it. */
  id: unknown
  name: ToolName
  arguments: Record<string, unknown>
  /** The client no longer wants the answer. */
  signal: AbortSignal
  /** Hears what there is so far; not given where the client does not follow. */
  tell?: Tell
}

export type Exchange = {
  version: string
  run: (call: Call) => Promise<CallToolResult>
  /** The problem document of an error. */
  tellProblem: (error: Error) => Problem
}

/** Answers one request of the protocol, whose body has been read. */
export function answerMcp (exchange: Exchange, request: Request, parsedBody: unknown): Promise<Response> {
  return createMcpHandler(() => createServer(exchange)).fetch(request, { parsedBody })
}

function createServer ({ version, run, tellProblem }: Exchange): Server {
  const server = new Server(
    { name: 'lavit-server', title: 'LaVIT Server', version },
    { capabilities: { tools: {} } }
  )
  server.setRequestHandler('tools/list', () => ({ tools }))
  server.setRequestHandler('tools/call', async ({ params: { name, arguments: sent = {}, _meta } }, { mcpReq }) => {
    if (!isToolName(name)) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${JSON.stringify(name.slice(0, 100))}`)
    }
    const token = mcpReq._meta?.progressToken ?? _meta?.progressToken
    let progress = 0
    const tell: Tell = (event, data) => {
      if (token === undefined || event === 'queued') return
      const message = 'step' in data ? `step ${data.step} of ${data.of}` : event
      const params = { progressToken: token, progress: ++progress, message }
      mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {}) // the client may have left
    }
    const call = { id: mcpReq.id, name, arguments: sent, signal: mcpReq.signal, ...(token !== undefined && { tell }) }
    const schema = tools.find(tool => tool.name === name)?.outputSchema
    return server.projectCallToolResult(await run(call).catch(error => failed(tellProblem(error))), schema)
  })
  return server
}

/** What the model behind the client reads, and what its program does. */
function failed (problem: Problem): CallToolResult {
  return {
    isError: true,
    content: [{ type: 'text', text: `${problem.code}: ${problem.detail}` }],
    _meta: { problem }
  }
}
