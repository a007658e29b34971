// Generates clients from the document for generators, compiles them under strict, and lets each do every job on a
// running server. Prints a line `ok` or `not ok` for each step; `npm run generators` installs and builds what it needs.
import { spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

const document = '../openapi.generators.json'
let failed = false

const { server, url } = await startServer()
rmSync('generated', { recursive: true, force: true })
rmSync('compiled', { recursive: true, force: true })
step('openapi-typescript generates', 'npx', [
  'openapi-typescript',
  document,
  '-o',
  'generated/openapi-typescript/schema.ts'
])
step('hey-api generates', 'npx', [
  'openapi-ts',
  '-i',
  document,
  '-o',
  'generated/hey-api',
  '-c',
  '@hey-api/client-fetch'
])
step('orval generates', 'npx', ['orval', '--config', 'orval.config.cjs'])
step('all compile under strict', 'npx', ['tsc'])
for (const name of ['openapi-fetch', 'hey-api', 'orval']) {
  step(`${name} does every job`, 'node', [`compiled/calls/${name}.js`])
}
if (spawnSync('python3', ['--version']).status === 0) {
  step('openapi-python-client is there', 'sh', [
    '-c',
    'python3 -m venv compiled/venv && compiled/venv/bin/pip install --quiet -r requirements.txt'
  ])
  step('openapi-python-client generates', 'compiled/venv/bin/openapi-python-client', [
    'generate',
    '--path',
    document,
    '--output-path',
    'generated/lavit',
    '--meta',
    'none'
  ])
  step('openapi-python-client does every job', 'compiled/venv/bin/python', ['calls/python_client.py'])
} else console.log('# no python3 here: openapi-python-client is not tried')
server.kill('SIGTERM')
process.exitCode = failed ? 1 : 0

function step (name, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: { ...process.env, LAVIT_URL: url },
    encoding: 'utf8'
  })
  console.log(`${status === 0 ? 'ok' : 'not ok'} - ${name}`)
  if (status === 0) return
  failed = true
  console.log(stdout, stderr)
}

/** The built server on a free port, once its model is ready. */
async function startServer () {
  const server = spawn('node', ['../../dist/server.js'], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let url = ''
  for await (const line of createInterface({ input: server.stdout })) {
    url ||= /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? ''
    if (url !== '') break
  }
  server.stdout.resume()
  while ((await fetch(`${url}/health/ready`)).status !== 200) await new Promise(resolve => setTimeout(resolve, 200))
  return { server, url }
}
