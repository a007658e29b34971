/** While the model loads the page is there, says so, and goes on by itself. */
import { captioned, openPage, textOf, waitForText } from '../browser.js'
import { equal, report } from '../report.js'

export async function checkLoading ({ browser, base }, server) {
  const page = await openPage(browser, base, { failsByIntent: true })
  await waitForText(page, '.banner', /not ready/)
  report(true, 'says that the model is not ready')
  const place = await placeOf(page, '#paint-button')
  await page.click('.sample')
  await waitForText(page, '.job-line', /Waits for the model/).finally(server.go)
  report(true, 'what is asked meanwhile waits')
  await captioned(page)
  report(/fox/.test(await textOf(page, '.written .words')), 'then goes on by itself, without a reload')
  await page.waitForSelector('.model.ready')
  report((await page.$('.banner')) === null, 'and says that it is ready')
  equal(await placeOf(page, '#paint-button'), place, 'and nothing has moved from under the pointer')
  await page.visitor.close()
}

async function placeOf (page, selector) {
  return await page.$eval(selector, element => {
    const { left, top } = element.getBoundingClientRect()
    return { left: left + window.scrollX, top: top + window.scrollY }
  })
}
