/** A server that ends, and comes back. */
import { openPage, painted, waitForText } from '../browser.js'
import { equal, report } from '../report.js'
import { startServer } from '../server.js'

export async function checkGone ({ browser, base, port }, server) {
  const page = await openPage(browser, base, { failsByIntent: true })
  await page.waitForSelector('.model.ready')
  await server.end()
  await page.click('#paint-button')
  await waitForText(page, '#paint .job-line', /does not answer/)
  await waitForText(page, '.banner', /does not answer/)
  report(true, 'says that the server is gone')
  await page.focus('.banner button')
  const again = await startServer({ port })
  await page.waitForSelector('.model.ready')
  report((await page.$('.banner')) === null, 'finds it again by itself')
  equal(await focused(page), 'banner-place', 'and the focus that a button of the banner had stays in its place')
  await page.click('#paint .job-line button')
  await painted(page)
  report(true, 'what failed is tried again without a reload')
  equal(await focused(page), 'job-line done', 'and at its end the focus is in the place of its button')
  await page.visitor.close()
  await again.end()
}

async function focused (page) {
  return await page.evaluate(() => document.activeElement.className)
}
