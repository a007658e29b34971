/* global IDBObjectStore */
/** Browsers that forbid site data, and those that have no room for more: the page works on, and says what is lost. */
import { openPage, readSample, runsOf, textOf, waitForText } from '../browser.js'
import { equal, report } from '../report.js'

export async function checkStorage ({ browser, base }) {
  await checkForbidden(browser, base)
  await checkFull(browser, base)
}

async function checkForbidden (browser, base) {
  const page = await openPage(browser, base, {
    before: () => {
      for (const name of ['sessionStorage', 'localStorage', 'indexedDB']) {
        const get = () => { throw new DOMException('Access is denied', 'SecurityError') }
        Object.defineProperty(window, name, { get })
      }
    }
  })
  await readSample(page)
  await page.waitForSelector('.run')
  report(true, 'where site data is forbidden the page opens, reads, and has the runs of this visit')
  equal(await troubleOf(page), '', 'and no trouble')
  await page.click('.run-buttons button:last-child')
  await page.waitForFunction(() => !document.querySelector('.run'))
  await page.visitor.close()
}

async function checkFull (browser, base) {
  const page = await openPage(browser, base, {
    before: () => {
      for (const name of ['put', 'delete', 'clear']) {
        const method = IDBObjectStore.prototype[name]
        IDBObjectStore.prototype[name] = function (...args) {
          if (window.refuses?.includes(name)) throw new DOMException('No room', 'QuotaExceededError')
          return method.apply(this, args)
        }
      }
    }
  })
  await readSample(page)
  await runsOf(page, 1)
  await refuse(page, ['put'])
  await readSample(page, 1)
  await waitForText(page, '#history .bar .bad', /no room for more; export, then delete/)
  equal(await page.$$eval('.run', runs => runs.length), 2, 'what the browser has no room for is shown, and told')
  equal((await runsOf(page, 1)).length, 1, 'and not kept')
  await refuse(page, ['delete', 'clear'])
  await page.click('.run:last-child .run-buttons button:last-child')
  await waitForText(page, '#history .bar .bad', /could not delete/)
  equal(await page.$$eval('.run', runs => runs.length), 2, 'what is not deleted does not look so')
  equal((await runsOf(page, 2)).length, 2, 'what had no room is tried again')
  await refuse(page, [])
  await page.click('.run:last-child .run-buttons button:last-child')
  await page.waitForFunction(() => document.querySelectorAll('.run').length === 1)
  await runsOf(page, 1)
  await page.waitForFunction(() => document.querySelector('#history .bar .bad').textContent === '')
  report(true, 'with room again all is well')
  await page.visitor.close()
}

async function refuse (page, names) {
  await page.evaluate(names => { window.refuses = names }, names)
}

async function troubleOf (page) {
  return await textOf(page, '#history .bar .bad')
}
