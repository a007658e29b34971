import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { readConfig } from '../src/config/config.ts'

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

const stages = new Map(
  [...dockerfile.matchAll(/^FROM (\S+) AS (\w+)$/gm)].map(([, from = '', name = '']): [string, string] => [name, from])
)

t.test('one base that can be named by digest, and an image for each device, by default for the CPU', async t => {
  t.match(dockerfile, /^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-bookworm-slim$/m)
  const base = '$' + '{NODE_IMAGE}'
  t.strictSame(Object.fromEntries(stages), { build: base, server: base, webgpu: 'server', cpu: 'server' })
  const [cpu = '', webgpu = ''] = dockerfile.split(/^FROM /m).reverse()
  t.match(cpu, /^ENV LAVIT_DEVICE=cpu$/m)
  t.match(webgpu, /^ENV LAVIT_DEVICE=webgpu .*NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics$/m)
  t.match(webgpu, /libvulkan1/)
})

t.test('no image runs as root, and each is stopped by the signal that drains', async t => {
  const users = dockerfile.match(/^USER .*$/gm)
  t.strictSame(users, ['USER 1000:1000', 'USER 0:0', 'USER 1000:1000'], 'root is for installing alone')
  t.match(dockerfile, /^STOPSIGNAL SIGTERM$/m)
})

t.test('the C library of the base has what the runtime wants', async t => {
  const runtime = `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`
  const file = new URL(`../${runtime}`, import.meta.url)
  const runtimeText = existsSync(file) ? readFileSync(file, 'latin1') : '\0GLIBC_2.28\0' // no Linux
  const wanted = runtimeText.match(/(?<=\0GLIBC_2\.)\d+(?=\0)/g) ?? []
  const most = Math.max(...wanted.map(Number))
  t.ok(most > 20 && most <= 36, `glibc 2.${most}, Debian 12 has 2.36`)
})

t.test('every service of the Compose file is contained, pinned, and has time to drain', async t => {
  const compose = read('deploy/compose.yaml')
  const [, contained = '', rest = ''] = /^x-contained: &contained\n((?: .*\n)+)([^]*)/m.exec(compose) ?? []
  for (const line of ['read_only: true', 'cap_drop: [ALL]', "security_opt: ['no-new-privileges:true']"]) {
    t.ok(contained.includes(`  ${line}\n`), line)
  }
  const [, text = ''] = rest.split(/^services:$/m)
  const services = (text.split(/^volumes:$/m)[0] ?? '').split(/^ {2}(?=\w+:$)/m).slice(1)
  t.equal(services.length, 4)
  for (const service of services) {
    const [name = ''] = service.split(':')
    t.ok(service.includes('    <<: *contained\n'), name)
    t.match(service, /^ {4}image: \S+:v?\d+\.\d+\.\d+\S*$/m, name)
    t.match(service, /^ {4}user: '[1-9]\d*:\d+'$/m, name)
    for (const [, port = ''] of service.matchAll(/^ {4}ports: \['(.*)'\]$/gm)) t.match(port, /^127\.0\.0\.1:/, name)
  }
  const { version } = JSON.parse(read('package.json'))
  t.ok(compose.includes(`image: lavit-server:${version}\n`))
  const graceMs = readConfig({}, '/').graceMs
  t.ok(Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1]) * 1000 > graceMs + 5000)
  for (const [, path = ''] of compose.matchAll(/^ +- \.\/(\S+?):/gm)) {
    t.ok(existsSync(new URL(`../deploy/${path}`, import.meta.url)), path)
  }
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
