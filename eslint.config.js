/** One style, and the directions in which imports may go. */
import neostandard from 'neostandard'

/** Forbids imports for the files of a folder; `allow` is the one file that is the door to a package. */
const closed = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group: patterns, message: 'See the layout in the README: imports go one way, and each dependency has one door.' }] }] }
})

const http = ['fastify', 'fastify-plugin', '@fastify/*']
const doors = ['sharp', 'onnxruntime-node', 'prom-client', 'node:child_process', 'child_process', 'wink-*']
const except = (...names) => doors.filter(name => !names.includes(name))
const above = ['**/server.ts', '**/app.ts']

export default [
  ...neostandard({ ts: true, ignores: ['dist', '.tap', 'models/recipe'] }),
  { rules: { '@typescript-eslint/no-redeclare': 'off' } }, // a schema and its type share a name; the compiler finds real clashes
  closed(['evaluate/**'], [...doors, ...http], ['evaluate/judge/network.ts']),
  closed(['evaluate/metrics/**'], [...doors, ...http, '../client.ts', '**/tasks/*', '**/data/*', '**/judge/*']),
  closed(['src/*.ts'], doors, ['src/metrics.ts', 'src/errors.ts', 'src/config.ts']),
  closed(['src/metrics.ts'], [...except('prom-client'), ...http, '**/*.ts']),
  closed(['src/errors.ts', 'src/config.ts'], [...doors, '**/*.ts']),
  closed(['src/schemas/**'], [...doors, ...http, '../**/*.ts', '../*.ts']),
  closed(['src/routes/**'], [...doors, ...above, '**/engine/*', '**/graphs/*']),
  closed(['src/plugins/**'], [...doors, ...above, '**/routes/*', '**/engine/*', '**/graphs/*']),
  closed(['src/tasks/**'], [...doors, ...http, ...above, '**/routes/*', '**/plugins/*', '**/graphs/*']),
  closed(['src/codecs/**'], [...doors, ...http, ...above, '**/routes/*', '**/plugins/*', '**/tasks/*', '**/registry/*', '**/engine/*', '**/graphs/*'], ['src/codecs/image.ts', 'src/codecs/lemmas.ts']),
  closed(['src/codecs/image.ts'], [...except('sharp'), ...http, ...above, '**/routes/*', '**/plugins/*', '**/tasks/*', '**/registry/*', '**/engine/*', '**/graphs/*']),
  closed(['src/codecs/lemmas.ts'], [...except('wink-*'), ...http, ...above, '**/routes/*', '**/plugins/*', '**/tasks/*', '**/registry/*', '**/engine/*', '**/graphs/*']),
  closed(['src/registry/**'], [...doors, ...http, ...above, '**/routes/*', '**/plugins/*', '**/tasks/*', '**/graphs/*'], ['src/registry/engine-client.ts']),
  closed(['src/registry/engine-client.ts'], [...except('node:child_process', 'child_process'), ...http, ...above, '**/routes/*', '**/plugins/*', '**/tasks/*', '**/graphs/*']),
  closed(['src/engine/**'], [...doors, ...http, ...above, '**/routes/*', '**/plugins/*', '**/tasks/*', '**/codecs/*', '**/schemas/*']),
  closed(['src/graphs/**'], [...doors, ...http, ...above, '**/routes/*', '**/plugins/*', '**/tasks/*', '**/codecs/*', '**/schemas/*'], ['src/graphs/session.ts']),
  closed(['src/graphs/session.ts'], [...except('onnxruntime-node'), ...http, ...above, '**/routes/*', '**/plugins/*', '**/tasks/*', '**/codecs/*', '**/schemas/*'])
]
