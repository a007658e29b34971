// The package as it would be published: built, packed, installed elsewhere, compiled against, and run as its README
// says, on the server at LAVIT_URL. Lines `ok` and `not ok`; `node clients/typescript/check.js FOLDER` works there.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const root = join(here, '../..')
const folder = process.argv[2]
const url = process.env.LAVIT_URL
if (!folder || !url) throw new Error('LAVIT_URL=http://… node clients/typescript/check.js FOLDER')
const bin = name => join(root, 'node_modules/.bin', name)

step('builds with its own settings', bin('tsc'), ['-p', here])
const packed = step('is packed', 'npm', ['pack', '--json', '--pack-destination', folder, here])
const [{ filename, files }] = JSON.parse(packed)
const names = files.map(({ path }) => path)
const isWhole = ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts'].every(name => names.includes(name))
const isLean = !names.some(name => /^(src|test)/.test(name))
report('has what a package needs, and no sources', isWhole && isLean, names)

const project = join(folder, 'project')
mkdirSync(join(project, 'node_modules/@types'), { recursive: true })
writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
for (const name of ['scene.png', 'test/fixtures/scene.png']) {
  cpSync(join(root, 'test/fixtures/scene.png'), join(project, name))
}
const install = ['install', '--no-audit', '--no-fund', '--offline', join(folder, filename)]
step('is installed without dependencies', 'npm', install)
symlinkSync(join(root, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'))
symlinkSync(join(root, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'))

const readmes = [here, root].map(folder => readFileSync(join(folder, 'README.md'), 'utf8')).join('\n')
const snippets = [...readmes.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, text]) => text)
for (const [i, text] of snippets.entries()) {
  writeFileSync(join(project, `snippet-${i}.ts`), text.replaceAll('http://127.0.0.1:8080', url))
}
const strict = { strict: true, exactOptionalPropertyTypes: true }
const compiler = { module: 'nodenext', target: 'es2022', types: ['node'], ...strict }
writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: compiler }))
step('what the READMEs show compiles', bin('tsc'), ['-p', project])
for (const [i, text] of snippets.entries()) {
  const told = step(`snippet ${i + 1} of the READMEs runs`, 'node', [`snippet-${i}.js`])
  for (const [, answer] of text.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)) {
    report(`and tells ${answer}`, told.includes(answer), told)
  }
}
step('is bundled for a browser', bin('esbuild'), [
  'node_modules/lavit-client/dist/index.js', '--bundle', '--platform=browser', '--format=esm', '--outfile=bundle.js'
])

/** Runs it in the project, and gives what it printed. */
function step (name, command, args) {
  const cwd = command.endsWith('tsc') || args[0] === 'pack' ? folder : project
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  report(name, status === 0, `${stdout}\n${stderr}`)
  return stdout
}

function report (name, isGood, detail) {
  console.log(`${isGood ? 'ok' : 'not ok'} - client in TypeScript: ${name}`)
  if (isGood) return
  process.exitCode = 1
  console.log(String(detail).replace(/^/gm, '# '))
}
