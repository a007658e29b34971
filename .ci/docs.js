// Runs what docs/ and the README show: `node .ci/docs.js CHECKOUT [PAGE]`, in a checkout that is built. Lines `ok` and
// `not ok`. The blocks of a page (sh, js, python) run one after the other in a folder of the page's own, with `test`,
// `models` and `lavit`, against one server that stands in for localhost:8080. Of sh, comment lines below commands are
// their answer (.ci/answers.js); of js, a comment behind console.log is one of the lines that are printed.
//   <!-- skip: REASON -->     before a block: it is not run
//   <!-- setup: COMMAND -->   before a block: is run before it, and not shown
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isAnswer } from './answers.js'

const checkout = resolve(process.argv[2] ?? '.')
const only = process.argv[3]
const scratch = mkdtempSync(join(tmpdir(), 'lavit-docs-'))
const bin = join(scratch, 'bin')
const run = { sh: runShell, bash: runShell, js: runNode, python: runPython }
const began = performance.now()
let count = 0

process.on('exit', () => {
  server.kill('SIGKILL')
  rmSync(scratch, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
writeBin()
const server = spawn('node', ['dist/server.js'], {
  cwd: checkout,
  env: { ...process.env, PORT: '0', LOG_LEVEL: 'info' },
  stdio: ['ignore', 'pipe', 'inherit']
})
const url = await addressOf(server)

for (const page of pagesOf(checkout).filter(page => only === undefined || page === only)) {
  const folder = join(scratch, page.replaceAll('/', '-'))
  mkdirSync(folder)
  for (const name of ['test', 'models']) symlinkSync(join(checkout, name), join(folder, name))
  const blocks = blocksOf(page)
  for (const { language, text, line, skip, setups } of blocks) {
    const name = `${page}:${line}`
    if (skip !== undefined) {
      console.log(`skipped: ${name}: ${skip}`)
      continue
    }
    for (const setup of setups) start('sh', ['-ec', setup], folder)
    run[language](name, text, folder)
  }
}
console.log(`# docs: ${Math.round((performance.now() - began) / 1000)} s`)
process.exit()

/** The README's curl lines and commands of npm are walked by readme.js, its other languages by the clients. */
function pagesOf (folder) {
  const docs = readdirSync(join(folder, 'docs'), { recursive: true }).filter(name => name.endsWith('.md')).sort()
  return ['README.md', ...docs.map(name => join('docs', name))]
}

function blocksOf (page) {
  const text = readFileSync(join(checkout, page), 'utf8')
  const blocks = []
  let skip
  let setups = []
  for (const { 0: whole, index, groups } of text.matchAll(
    /^<!-- skip: (?<skip>.+) -->$|^<!-- setup: (?<setup>.+) -->$|^```(?<language>\w*)\n(?<text>[^]*?)^```$/gm
  )) {
    if (groups.skip) skip = groups.skip
    else if (groups.setup) setups.push(groups.setup)
    else {
      const line = text.slice(0, index).split('\n').length
      const { language } = groups
      const isOther = page === 'README.md' && (!/^(sh|bash)$/.test(language) || /^(curl|npm) /m.test(groups.text))
      if (Object.hasOwn(run, language) && !isOther) blocks.push({ language, text: groups.text, line, skip, setups })
      if (whole) [skip, setups] = [undefined, []]
    }
  }
  return blocks
}

function runShell (name, text, folder) {
  let command = []
  let answer = []
  const finish = () => {
    if (command.length > 0) {
      const { status, stdout, stderr } = start('sh', ['-ec', command.join('\n')], folder)
      const written = answer.join('\n')
      const isGood = status === 0 && (answer.length === 0 || isAnswer(stdout, written, folder))
      report(isGood, `${name}: ${command[0]}`, `written: ${written}\nanswered: ${stdout}\n${stderr}`)
    }
    command = []
    answer = []
  }
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('# ') && command.length > 0) answer.push(line.slice(2))
    else {
      if (answer.length > 0) finish()
      if (!line.startsWith('# ')) command.push(line)
    }
  }
  finish()
}

function runNode (name, text, folder) {
  writeFileSync(join(folder, 'block.mjs'), here(text))
  const { status, stdout, stderr } = start('node', ['block.mjs'], folder)
  const told = [...text.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map(([, answer]) => answer)
  const isGood = status === 0 && told.every(answer => stdout.split('\n').some(line => isAnswer(line, answer, folder)))
  report(isGood, name, `${told.join('\n')}\n${stdout}\n${stderr}`)
}

function runPython (name, text, folder) {
  if (start('python3', ['--version'], folder).status !== 0) return console.log(`skipped: ${name}: there is no python3`)
  const { status, stdout, stderr } = start('python3', ['-c', here(text)], folder)
  report(status === 0, name, `${stdout}\n${stderr}`)
}

function start (command, args, cwd) {
  return spawnSync(command, args.map(here), {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, LAVIT_URL: url, HOME: scratch, XDG_CONFIG_HOME: scratch }
  })
}

/** The text with the address of the server that runs. */
function here (text) {
  return text.replaceAll(/(http:\/\/)?(localhost|127\.0\.0\.1):8080/g, url)
}

/** `lavit`, also as `npx lavit`. */
function writeBin () {
  mkdirSync(bin)
  const lavit = `exec node '${join(checkout, 'dist/cli/main.js')}' "$@"`
  writeFileSync(join(bin, 'lavit'), `#!/bin/sh\n${lavit}\n`, { mode: 0o755 })
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\n[ "$1" = lavit ] || exit 64\nshift\n${lavit}\n`, { mode: 0o755 })
}

async function addressOf (server) {
  let output = ''
  server.stdout.setEncoding('utf8').on('data', text => {
    output += text
  })
  for (let i = 0; i < 600; i++) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0]
    if (found && (await fetch(`${found}/health/ready`).then(({ ok }) => ok, () => false))) return found
    await pause(100)
  }
  report(false, 'the server starts', output)
  process.exit(1)
}

function report (isGood, name, detail = '') {
  console.log(`${isGood ? 'ok' : 'not ok'} ${++count} - ${name}`)
  if (isGood) return
  process.exitCode = 1
  console.log(detail.trim().slice(-4000).replace(/^/gm, '# '))
}
