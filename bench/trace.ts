/** `npm run trace`: asks the built server for one job, its traces kept, and draws them into docs/pictures/trace.svg. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { startProcess } from './servers.ts'

const root = join(import.meta.dirname, '..')
const Sent = Type.Object({
  resourceSpans: Type.Array(Type.Object({
    scopeSpans: Type.Array(Type.Object({
      spans: Type.Array(Type.Object({
        spanId: Type.String(),
        parentSpanId: Type.Optional(Type.String()),
        name: Type.String(),
        startTimeUnixNano: Type.String(),
        endTimeUnixNano: Type.String(),
        attributes: Type.Array(Type.Object({ key: Type.String(), value: Type.Record(Type.String(), Type.Unknown()) }))
      }))
    }))
  }))
})
type Span = { id: string; parent: string | undefined; name: string; start: number; end: number; units: string }

const spans: Span[] = []
const receiver = createServer(async (request, response) => {
  const { resourceSpans } = Value.Parse(Sent, await json(request))
  for (const span of resourceSpans.flatMap(({ scopeSpans }) => scopeSpans).flatMap(scope => scope.spans)) {
    const units = span.attributes.find(({ key }) => key === 'lavit.units')?.value.intValue
    spans.push({
      id: span.spanId,
      parent: span.parentSpanId,
      name: span.name,
      start: Number(BigInt(span.startTimeUnixNano) / 1000n) / 1000,
      end: Number(BigInt(span.endTimeUnixNano) / 1000n) / 1000,
      units: units === undefined ? '' : `, ${String(units)} ${units === 1 ? 'unit' : 'units'}`
    })
  }
  response.setHeader('content-type', 'application/json').end('{}')
}).listen(0, '127.0.0.1')
await once(receiver, 'listening')

const { port } = receiver.address() as AddressInfo
const server = await startProcess('lavit', [process.execPath, 'dist/server.js'], {
  LOG_LEVEL: 'warn',
  LAVIT_IMAGE_CACHE_MB: '0',
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`
})
const image = readFileSync(join(root, 'test/fixtures/scene.png')).toString('base64')
const prompt = [{ type: 'image', image }, { type: 'text', text: 'on a red background' }]
for (let times = 0; times < 3; times++) { // the last one finds everything warm
  const body = JSON.stringify({ prompt, seed: 1 })
  const response = await fetch(`${server.url}/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body
  })
  await response.arrayBuffer()
}
await server.stop()
receiver.close()

const [last] = spans.filter(({ name }) => name === 'POST /generate').sort((a, b) => b.start - a.start)
if (last === undefined) throw new Error('no trace came')
writeFileSync(join(root, 'docs/pictures/trace.svg'), draw(last))

/** A bar for each span, below its parent. */
function draw (first: Span): string {
  const rows = treeOf(first, 0)
  const [width, label, right, row] = [760, 190, 170, 22]
  const height = 34 + rows.length * row
  const x = (time: number) => label + ((time - first.start) / (first.end - first.start)) * (width - label - right)
  const bars = rows.map(({ span, depth }, i) => {
    const y = 26 + i * row
    const ms = span.end - span.start
    const colour = depth === 0 ? '#7a7a7a' : span.name.includes(' ') ? '#2f6fb3' : '#3f9b62'
    const length = Math.max(1, x(span.end) - x(span.start)).toFixed(1)
    return [
      `<text x="${8 + depth * 12}" y="${y + 11}">${span.name}</text>`,
      `<rect x="${x(span.start).toFixed(1)}" y="${y}" width="${length}" height="14" fill="${colour}"/>`,
      `<text x="${(x(span.end) + 5).toFixed(1)}" y="${y + 11}">${ms.toFixed(1)} ms${span.units}</text>`
    ].join('')
  })
  const title = `One POST /generate on ${process.platform} ${process.arch}, as its spans tell`
  const style = 'font-family="system-ui, sans-serif" font-size="12" fill="#222"'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ${style}>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="8" y="16" font-weight="bold">${title}</text>
${bars.join('\n')}
</svg>
`
}

function treeOf (span: Span, depth: number): { span: Span; depth: number }[] {
  const parts = spans.filter(({ parent }) => parent === span.id).sort((a, b) => a.start - b.start)
  return [{ span, depth }, ...parts.flatMap(part => treeOf(part, depth + 1))]
}
