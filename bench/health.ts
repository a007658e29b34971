/** Is the server still there while the model works? Runs captions without pause and probes `/health/live` meanwhile. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { crc32, deflateSync } from 'node:zlib'

const captionsAtOnce = 16
const probeEveryMs = 20
const seconds = 10
const root = join(import.meta.dirname, '..')

const port = await findFreePort()
const server = spawn(process.execPath, ['dist/server.js'], {
  cwd: root,
  env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), LOG_LEVEL: 'warn' },
  stdio: ['ignore', 'inherit', 'inherit']
})
const url = `http://127.0.0.1:${port}`
try {
  await waitUntilReady()
  await report()
} finally {
  server.kill('SIGTERM')
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
}

async function report () {
  const pictures = Array.from({ length: captionsAtOnce }, (_, i) => encodePng(128, i / captionsAtOnce))
  await Promise.all([caption(pictures[0]!), probe()]) // warm-up
  const from = performance.now()
  const until = from + seconds * 1000
  const [counts, probes] = await Promise.all([
    Promise.all(pictures.map(picture => captionUntil(picture, until))),
    probeUntil(until)
  ])
  const elapsed = (performance.now() - from) / 1000
  const captions = counts.reduce((total, count) => total + count, 0)
  const sorted = probes.sort((a, b) => a - b)
  const at = (share: number) => `${sorted[Math.ceil(share * sorted.length) - 1]!.toFixed(1)} ms`
  console.log(
    `captions  ${captionsAtOnce} at once for ${elapsed.toFixed(1)} s: ${captions} done, ` +
      `${(captions / elapsed).toFixed(1)} a second`
  )
  console.log(`health    ${sorted.length} probes: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`)
}

async function captionUntil (picture: Uint8Array<ArrayBuffer>, until: number) {
  let done = 0
  for (; performance.now() < until; done++) await caption(picture)
  return done
}

async function caption (picture: Uint8Array<ArrayBuffer>) {
  const response = await fetch(`${url}/caption`, {
    method: 'POST',
    headers: { 'content-type': 'image/png' },
    body: picture
  })
  const body = await response.text()
  if (!response.ok) throw new Error(`POST /caption answered ${response.status}: ${body}`)
}

/** Milliseconds of each probe; a slow one does not keep the next one waiting. */
async function probeUntil (until: number) {
  const probes: Promise<number>[] = []
  while (performance.now() < until) {
    probes.push(probe())
    await pause(probeEveryMs)
  }
  return Promise.all(probes)
}

async function probe () {
  const from = performance.now()
  const response = await fetch(`${url}/health/live`)
  await response.text()
  if (!response.ok) throw new Error(`GET /health/live answered ${response.status}`)
  return performance.now() - from
}

async function waitUntilReady () {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (server.exitCode !== null) {
      throw new Error(`the server ended with exit code ${server.exitCode}; is it built (npm run build)?`)
    }
    const response = await fetch(`${url}/health/ready`).catch(() => undefined)
    await response?.text()
    if (response?.ok) return
    await pause(100)
  }
  throw new Error('the server was not ready within a minute')
}

async function findFreePort () {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  listener.close()
  return port
}

/** A square RGB picture with a disc in it, coloured by `hue` in 0..1. */
function encodePng (size: number, hue: number) {
  const rows = new Uint8Array(size * (1 + 3 * size)) // each row: filter 0, then RGB
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const isDisc = Math.hypot(x - size / 2, y - size / 2) < size / 3
      const at = y * (1 + 3 * size) + 1 + 3 * x
      rows.set(isDisc ? [255 * hue, 255 * (1 - hue), 60] : [240, 240, 240], at)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header.set([8, 2], 8) // 8 bits, RGB
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return new Uint8Array(
    Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
  )
}

function chunk (type: string, content: Uint8Array) {
  const body = Buffer.concat([Buffer.from(type), content])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(content.length, 0)
  framed.set(body, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
