/** Pictures that leave the page: as a link, and as a file with its recipe. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPage, paint, painted, picturesOf, waitForText } from '../browser.js'
import { equal, report } from '../report.js'
import { until } from '../server.js'
import { give } from './files.js'
import { setNumber } from './painting.js'

export async function checkSharing ({ browser, base }) {
  const page = await openPage(browser, base)
  await page.$eval('.paint-options summary', summary => summary.click())
  await setNumber(page, 'n', 4)
  await paint(page)
  const pictures = await picturesOf(page)
  equal(new Set(pictures).size, 4, 'four pictures')
  await checkLink(browser, page, base, pictures[2])
  await checkRecipe(browser, page, base, pictures[2])
  await page.visitor.close()
}

async function checkLink (browser, page, base, picture) {
  await page.evaluate(() => {
    navigator.clipboard.writeText = async text => { window.copied = text }
  })
  await pressIn(page, 3, /Copy link/)
  const link = await page.evaluate(() => window.copied)
  report(link.length < 300 && link.startsWith(`${base}#tokens=`), `a link of ${link.length} characters`, link)
  const other = await openPage(browser, base, { path: link.slice(base.length) })
  await painted(other)
  equal(await picturesOf(other), [picture], 'in another browser it shows the same picture')
  await other.visitor.close()
  const old = await openPage(browser, base, { path: link.slice(base.length).replace('@0.', '@0.1') })
  await waitForText(old, '.warning', /something else/)
  report(true, 'a link of another model version says so')
  await old.visitor.close()
}

async function checkRecipe (browser, page, base, picture) {
  const folder = mkdtempSync(join(tmpdir(), 'lavit-'))
  const session = await page.createCDPSession()
  await session.send('Browser.setDownloadBehavior', {
    behavior: 'allow', browserContextId: page.visitor.id, downloadPath: folder
  })
  const saved = async () => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name))
    await pressIn(page, 3, /Save/)
    await until(() => readdirSync(folder).some(name => name.endsWith('.png')))
    return readFileSync(join(folder, readdirSync(folder)[0]))
  }
  const file = await saved()
  report(file.includes('lavit-recipe') && file.includes('a rocket on a blue'), 'a saved file carries its recipe')
  const other = await openPage(browser, base)
  await give(other, 'drop', 'image/png', file)
  await painted(other)
  equal(await picturesOf(other), [picture], 'dropped, picture 3 of 4 is painted again to the byte')
  equal(await other.$eval('#prompt', field => field.value), 'a rocket on a blue background', 'with its prompt')
  equal(await other.$eval("[name='seed']", field => field.value), '9', 'and its seed')
  await other.visitor.close()

  await page.$$eval('.canvas .check input', inputs => inputs.at(-1).click())
  const bare = await saved()
  equal(`data:image/png;base64,${bare.toString('base64')}`, picture, 'the switch leaves the recipe out')
}

/** Presses a button of one of the pictures. */
async function pressIn (page, number, pattern) {
  await page.evaluate((number, source) => {
    const canvas = document.querySelectorAll('.canvas')[number - 1]
    const buttons = [...canvas.querySelectorAll('button')]
    buttons.find(button => new RegExp(source).test(button.textContent)).click()
  }, number, pattern.source)
  await new Promise(resolve => setTimeout(resolve, 100))
}
