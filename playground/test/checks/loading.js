/** While the model loads the page is there, says so, and goes on by itself. */
import { captioned, openPage, textOf, waitForText } from '../browser.js'
import { report } from '../report.js'

export async function checkLoading ({ browser, base }, server) {
  const page = await openPage(browser, base, { failsByIntent: true })
  await waitForText(page, '.banner', /not ready/)
  report(true, 'says that the model is not ready')
  await page.click('.sample')
  await waitForText(page, '.job-line', /Waits for the model/).finally(server.go)
  report(true, 'what is asked meanwhile waits')
  await captioned(page)
  report(/fox/.test(await textOf(page, '.written .words')), 'then goes on by itself, without a reload')
  await page.waitForSelector('.model.ready')
  report((await page.$('.banner')) === null, 'and says that it is ready')
  await page.visitor.close()
}
