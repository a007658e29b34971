/** Below a path that a proxy puts before it. */
import { openPage, paint, readSample, textOf } from '../browser.js'
import { equal, report } from '../report.js'
import { startProxy } from '../server.js'

export async function checkPrefix ({ browser, base }) {
  const proxy = await startProxy(base, '/some/where/')
  const page = await openPage(browser, proxy.base)
  const lost = []
  page.on('response', response => {
    if (response.status() >= 400) lost.push(response.url())
  })
  await readSample(page)
  await paint(page)
  report(/fox/.test(await textOf(page, '.written .words')), 'reads and paints below a path')
  await page.goto(`${proxy.base}docs`)
  await page.waitForSelector('.swagger-ui .opblock')
  equal(lost, [], 'and nothing is asked for above it')
  await page.visitor.close()
  proxy.end()
}
