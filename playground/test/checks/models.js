/** A server with two models: either reads and paints, and what was asked says which. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openPage, paint, readSample, runsOf, textOf } from '../browser.js'
import { equal, report } from '../report.js'
import { startServer } from '../server.js'

const shipped = fileURLToPath(new URL('../../../models/lavit-mini', import.meta.url))

export async function checkModels ({ browser, port }) {
  const folder = mkdtempSync(join(tmpdir(), 'lavit-'))
  for (const name of ['lavit-mini', 'lavit-other']) {
    cpSync(shipped, join(folder, name), { recursive: true })
    const file = join(folder, name, 'manifest.json')
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), name }))
  }
  const server = await startServer({ port: port - 2, environment: { LAVIT_MODELS: folder } })
  const page = await openPage(browser, server.base)
  await page.waitForSelector('.model.ready select')
  await readSample(page)
  await page.select('.model select', 'lavit-other')
  await page.waitForFunction(() => document.querySelectorAll('.run').length === 2)
  report(/fox/.test(await textOf(page, '.written .words')), 'another model reads the picture anew')
  await paint(page)
  const runs = await runsOf(page, 3)
  equal(runs.map(run => run.call.options.model), [undefined, 'lavit-other', 'lavit-other'], 'and paints')
  equal(runs.map(run => run.model.name), ['lavit-mini', 'lavit-other', 'lavit-other'], 'which the history tells')
  await page.$$eval('.run .again', buttons => buttons.at(-1).click())
  await page.waitForFunction(() => document.querySelector('.model select').value === 'lavit-mini')
  report(true, 'a run that is shown again brings its model')
  await page.visitor.close()
  await server.end()
}
