/** A server with keys: the page opens, asks for one and keeps it in its tab alone, and so does the document's page. */
import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPage, readSample, textOf, waitForText } from '../browser.js'
import { equal, report } from '../report.js'
import { startServer } from '../server.js'

const secret = 'a-key-of-the-test'

export async function checkKey ({ browser, port }) {
  const file = join(mkdtempSync(join(tmpdir(), 'lavit-')), 'keys.json')
  const sha256 = createHash('sha256').update(secret).digest('hex')
  writeFileSync(file, JSON.stringify([{ name: 'page', sha256, scopes: ['infer'] }]))
  const server = await startServer({ port: port - 1, environment: { LAVIT_KEYS_FILE: file } })
  const page = await openPage(browser, server.base, { failsByIntent: true })
  await waitForText(page, '.banner', /asks for a key/)
  report(true, 'the page opens without a key, and asks for one')
  await page.evaluate(() => document.querySelector('.banner button').click())
  await page.waitForSelector('dialog[open] input')
  await page.type('dialog input', 'ключ')
  report(!(await page.$eval('dialog input', field => field.validity.valid)), 'one that no header carries is refused')
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => !document.querySelector('dialog'))
  await give(page, 'wrong')
  await waitForText(page, '.banner', /no key of the server/)
  report(true, 'a wrong one is told')
  await give(page, secret)
  await page.waitForSelector('.model.ready')
  await readSample(page)
  report(/fox/.test(await textOf(page, '.written .words')), 'with the key it reads')
  const kept = await page.evaluate(async () => ({
    session: Object.values(sessionStorage), local: localStorage.length, cookies: document.cookie
  }))
  equal(kept, { session: [secret], local: 0, cookies: '' }, 'the key is kept in the session alone')
  await page.evaluate(() => { document.querySelector('.code').open = true })
  await waitForText(page, '.code pre', /LAVIT_KEY/)
  report(!(await textOf(page, '.code pre')).includes(secret), 'and stands in no snippet')
  await checkDocument(page, server.base)
  await page.visitor.close()
  await server.end()
}

async function give (page, key) {
  await page.evaluate(() => document.querySelector('.banner button').click())
  await page.waitForSelector('dialog[open] input')
  await page.type('dialog input', key)
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => !document.querySelector('dialog'))
}

async function checkDocument (page, base) {
  await page.goto(`${base}docs`)
  await page.waitForSelector('.swagger-ui .btn.authorize')
  await page.click('.btn.authorize')
  await page.waitForSelector('.auth-container input')
  await page.type('.auth-container input', secret)
  await page.click('.auth-btn-wrapper .authorize')
  await page.click('.auth-btn-wrapper .btn-done')
  await page.evaluate(() => document.querySelector('#operations-jobs-caption button').click())
  await page.waitForSelector('#operations-jobs-caption .execute')
  await page.evaluate(() => document.querySelector('#operations-jobs-caption .execute').click())
  const answered = '#operations-jobs-caption .live-responses-table tbody .response-col_status'
  await page.waitForSelector(answered)
  const status = await textOf(page, answered)
  report(status.startsWith('200'), 'at /docs the Authorize button takes the key, and the example is answered', status)
}
