/** Every part of the playground in a real browser, before a server with the embedded model: `node run.js [PORT]`. */
import { noted, startBrowser } from './browser.js'
import { checkBroken } from './checks/broken.js'
import { checkBuild } from './checks/build.js'
import { checkFiles } from './checks/files.js'
import { checkFocus } from './checks/focus.js'
import { checkGone } from './checks/gone.js'
import { checkHistory } from './checks/history.js'
import { checkKey } from './checks/key.js'
import { checkKeyboard } from './checks/keyboard.js'
import { checkLoading } from './checks/loading.js'
import { checkModels } from './checks/models.js'
import { checkPainting } from './checks/painting.js'
import { checkPrefix } from './checks/prefix.js'
import { checkReading } from './checks/reading.js'
import { checkSharing } from './checks/sharing.js'
import { checkSight } from './checks/sight.js'
import { checkSnippets } from './checks/snippets.js'
import { checkStorage } from './checks/storage.js'
import { checkWalk } from './checks/walk.js'
import { equal, haveFailed, part } from './report.js'
import { startServer } from './server.js'

const port = Number(process.argv[2] ?? 8149)
const only = process.argv[3]
const browser = await startBrowser()
const server = await startServer({ port, held: true, environment: { LAVIT_ENGINE_TIMEOUT_MS: '60000' } })
const at = { browser, base: server.base, port }

const parts = {
  'a model that loads': () => checkLoading(at, server),
  'what is built': () => checkBuild(at),
  reading: () => checkReading(at),
  'ways in': () => checkFiles(at),
  painting: () => checkPainting(at),
  'links and recipes': () => checkSharing(at),
  history: () => checkHistory(at),
  'a browser that keeps nothing': () => checkStorage(at),
  snippets: () => checkSnippets(at),
  'keys of the keyboard': () => checkKeyboard(at),
  'where the focus goes': () => checkFocus(at),
  'colours, directions and a banner': () => checkSight(at),
  'every width and theme': () => checkWalk(at),
  'a path before it': () => checkPrefix(at),
  'two models': () => checkModels(at),
  'a server with keys': () => checkKey(at),
  'answers that break off': () => checkBroken(at),
  'a server that is gone': () => checkGone(at, server)
}
try {
  for (const [name, work] of Object.entries(parts)) {
    if (!only || name === only || name === 'a model that loads') await part(name, work)
  }
  equal(noted.errors, [], 'no error and no warning in the console')
  equal(noted.foreign, [], 'no request to another host')
} finally {
  await browser.close()
  await server.end().catch(() => {})
}
process.exit(haveFailed() ? 1 : 0)
