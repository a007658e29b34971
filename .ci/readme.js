// Does what the README says, in a clean checkout: `node .ci/readme.js CHECKOUT [COMMAND]`. COMMAND stands in for the
// README's first one.
// Every curl line must give the answer written under it (.ci/answers.js).
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isAnswer } from './answers.js'

const patienceMs = 600_000
const checkout = resolve(process.argv[2])
const { first, curls } = readReadme(readFileSync(join(checkout, 'README.md'), 'utf8'))
const command = process.argv[3] ?? first
let count = 0

const port = (await isFree(8080)) ? 8080 : await freePort()
const server = spawn('sh', ['-c', command], {
  cwd: checkout,
  detached: true,
  stdio: ['ignore', 'pipe', 'pipe'],
  env: port === 8080 ? process.env : { ...process.env, PORT: String(port) }
})
const ended = once(server, 'close')
let output = ''
for (const stream of [server.stdout, server.stderr]) {
  stream.setEncoding('utf8').on('data', text => {
    output += text
  })
}
process.on('exit', () => killGroup('SIGKILL'))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const ready = await isReady()
report(ready, `\`${command}\` serves at port ${port} under Node ${process.version}`, output)
report(!output.includes('EBADENGINE'), 'every package takes this Node', output)
if (ready) {
  report(curls.length > 0, 'the README has curl lines')
  for (const curl of curls) check(curl)
  process.kill(childOf(server.pid) ?? server.pid, 'SIGTERM')
  const [exitCode, signal] = await Promise.race([ended, pause(60_000, [null, 'none within a minute'])])
  report(exitCode === 0, 'SIGTERM ends it with exit code 0', `exit code ${exitCode}, signal ${signal}\n${output}`)
}
process.exit() // what still runs goes with it

/** The first command of the first block, and the curl lines of all blocks, each with the comment under it. */
function readReadme (readme) {
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block.trim().split('\n'))
  const lines = blocks.flatMap(block => [...block, ''])
  return {
    first: blocks[0][0],
    curls: lines.flatMap((line, i) =>
      line.startsWith('curl ')
        ? [{ line, answer: lines[i + 1].startsWith('# ') ? lines[i + 1].slice(2) : undefined }]
        : []
    )
  }
}

function check ({ line, answer }) {
  if (answer === undefined) return report(false, `${line}: no answer is written under it`)
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line.replace('localhost:8080', `localhost:${port}`)], {
    cwd: checkout,
    encoding: 'utf8',
    timeout: 60_000
  })
  const right = status === 0 && isAnswer(stdout, answer, checkout)
  report(right, line, `written: ${answer}\nanswered: ${stdout}\n${stderr}`)
}

async function isReady () {
  const until = performance.now() + patienceMs
  while (performance.now() < until && server.exitCode === null && server.signalCode === null) {
    if (
      await fetch(`http://127.0.0.1:${port}/health/ready`).then(
        answer => answer.ok,
        () => false
      )
    ) { return true }
    await pause(200)
  }
  return false
}

/** npm, where the shell has not become it. */
function childOf (pid) {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return Number(child) || undefined
}

function killGroup (signal) {
  try {
    process.kill(-server.pid, signal)
  } catch {} // it has ended
}

async function isFree (port) {
  const probe = createServer()
  return new Promise(resolve =>
    probe.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  )
}

async function freePort () {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  return port
}

function report (passed, name, detail = '') {
  console.log(`${passed ? 'ok' : 'not ok'} ${++count} - README: ${name}`)
  if (passed) return
  process.exitCode = 1
  console.log(detail.trim().slice(-4000).replace(/^/gm, '# '))
}
