// The built client in a real Chromium: a page of another origin paints a picture, has it captioned as a stream, and
// reads an error and a redirect. LAVIT_URL is a server whose LAVIT_CORS_ORIGINS are `*`; CHROMIUM may name the browser.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

const name = 'client in TypeScript: works in a browser'
const page = `
  import { createClient, LavitError } from './dist/index.js'
  async function run () {
    const lavit = createClient({ url: '${process.env.LAVIT_URL}' })
    const painted = await lavit.generatePicture({ prompt: 'a dog on a blue background', seed: 7 })
    const image = new Blob([painted.bytes], { type: painted.mediaType })
    let text = ''
    for await (const event of lavit.captionStream({ image, num_beams: 1 })) {
      if (event.event === 'token') text += event.data.delta
    }
    const error = await lavit.caption({ image: { path: '/etc/hostname' } }).catch(error => error)
    const moved = await createClient({ url: location.origin + '/moved' }).models().catch(error => error.message)
    return [text, painted.seed, error instanceof LavitError && error.code, moved]
  }
  run().catch(String).then(told => fetch('/told', { method: 'POST', body: JSON.stringify(told) }))`

const chromium = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].find(
  command => command && spawnSync(command, ['--version']).status === 0
)
if (chromium) await check()
else console.log(`skipped: ${name}: there is no Chromium`)

async function check () {
  const { outputFiles } = buildSync({
    stdin: { contents: page, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'browser',
    write: false
  })
  const server = createServer(async (request, response) => {
    if (request.url === '/told') server.emit('told', (await request.toArray()).join(''))
    if (request.url.startsWith('/moved/')) response.writeHead(301, { location: '/' }).end()
    else response.setHeader('content-type', 'text/html').end(`<!doctype html><script>${outputFiles[0].text}</script>`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const profile = mkdtempSync(join(tmpdir(), 'lavit-browser-'))
  const url = `http://127.0.0.1:${server.address().port}`
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`]
  const browser = spawn(chromium, [...flags, url], { stdio: 'ignore' })
  const [told] = await once(server, 'told', { signal: AbortSignal.timeout(90_000) }).catch(error => [String(error)])
  browser.kill('SIGKILL')
  await once(browser, 'exit')
  server.close()
  server.closeAllConnections()
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  const isGood = /^\[".*dog.*",7,"picture_unreadable","the answer is a redirect, [^"]*"\]$/.test(told)
  console.log(`${isGood ? 'ok' : 'not ok'} - ${name}`)
  if (isGood) return
  process.exitCode = 1
  console.log(`# ${told}`)
}
