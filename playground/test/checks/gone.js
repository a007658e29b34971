/** A server that ends, and comes back. */
import { openPage, waitForText } from '../browser.js'
import { report } from '../report.js'
import { startServer } from '../server.js'

export async function checkGone ({ browser, base, port }, server) {
  const page = await openPage(browser, base, { failsByIntent: true })
  await page.waitForSelector('.model.ready')
  await server.end()
  await page.click('#paint-button')
  await waitForText(page, '#paint .job-line', /does not answer/)
  await waitForText(page, '.banner', /does not answer/)
  report(true, 'says that the server is gone')
  const again = await startServer({ port })
  await page.waitForSelector('.model.ready')
  report((await page.$('.banner')) === null, 'finds it again by itself')
  await page.click('#paint .job-line button')
  await page.waitForSelector('.canvas .token-picture img')
  report(true, 'what failed is tried again without a reload')
  await page.visitor.close()
  await again.end()
}
