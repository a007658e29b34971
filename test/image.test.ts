import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const dockerfile = read('Dockerfile').replaceAll('\\\n', '')

t.test('the health check of the image asks whether the server is ready', async t => {
  const [program, ...args]: string[] = JSON.parse(/^HEALTHCHECK .*? CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]')
  t.equal(program, 'node')
  let isReady = true
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(isReady || request.url === '/health/live' ? 200 : 503).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const check = async (port: string) =>
    (await once(spawn(process.execPath, args, { env: { PORT: port }, stdio: 'inherit' }), 'close'))[0]

  const { port } = server.address() as AddressInfo
  t.equal(await check(String(port)), 0)
  t.strictSame(asked, ['/health/ready'])
  isReady = false
  t.equal(await check(` ${port} `), 1)
  server.close()
  t.equal(await check(String(port)), 1, 'nobody listens')
})

t.test('what the image copies is there and is not left out of what is sent to the builder', async t => {
  const ignored = read('.dockerignore').split('\n')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
    sources.split(' ')
  )
  t.ok(copied.includes('NOTICE') && copied.includes('LICENSE'))
  for (const source of copied) {
    t.ok(existsSync(new URL(`../${source}`, import.meta.url)), source)
    t.ok(
      ignored.some(
        line => line.startsWith('!') && (source === line.slice(1) || source.startsWith(`${line.slice(1)}/`))
      ),
      `${source} is sent`
    )
  }
})
