/* global DataTransfer, Element, history, location */
/** What takes itself away, moves or copies leaves the focus where one can go on. */
import { openPage, paint, readSample, runsOf, waitForText } from '../browser.js'
import { equal, report } from '../report.js'

const manyRuns = 14

export async function checkFocus ({ browser, base }) {
  const page = await openPage(browser, base, {
    before: () => {
      Object.defineProperty(window, 'isSecureContext', { value: false })
      delete Element.prototype.moveBefore // as in browsers that do not have it
    }
  })
  await page.waitForSelector('.model.ready')
  await checkSkip(page)
  await checkParts(page)
  await readSample(page)
  await checkChoice(page)
  await checkCopy(page)
  await paint(page)
  await checkEditor(page)
  await checkAll(page)
  await page.visitor.close()
}

async function checkSkip (page) {
  await page.evaluate(() => history.replaceState(null, '', '#kept'))
  await press(page, '.skip')
  equal(await page.evaluate(() => [location.hash, document.activeElement.id]), ['#kept', 'paint'],
    'the skip link goes to painting, and the address keeps what it carries')
}

async function checkParts (page) {
  for (const count of [2, 3]) {
    await press(page, '.add-part button')
    await page.waitForFunction(count => document.querySelectorAll('.part').length === count, {}, count)
  }
  const names = []
  for (const [place, button] of [[1, 2], [2, 2], [3, 1], [2, 1], [1, 1]]) {
    await press(page, `.part:nth-child(${place}) .part-buttons button:nth-child(${button})`)
    names.push(await focused(page))
  }
  equal(names, [
    'Move words 2 to the back', 'Move words 3 to the back',
    'Move words 2 to the front', 'Move words 1 to the front', 'Move words 1 to the front'
  ], 'a part that is moved keeps the focus, also at the ends')
  await press(page, '.part:nth-child(3) .part-buttons button:nth-child(3)')
  equal(await focused(page), 'Take words 2 out', 'of a part that is taken out it goes to the one beside')
  await press(page, '.part:nth-child(2) .part-buttons button:nth-child(3)')
  equal(await focused(page), 'Words, part 1', 'and of the last but one into the words that stay')
}

async function checkChoice (page) {
  await page.$eval(".sliders input[name='keep_threshold']", slider => {
    slider.value = '0.9'
    slider.dispatchEvent(new Event('input', { bubbles: true }))
  })
  await page.waitForSelector('.stale button')
  await press(page, '.stale button')
  await page.waitForFunction(() => !document.querySelector('.stale button'))
  const isThere = await page.evaluate(() => document.activeElement.matches('.stale'))
  report(isThere, 'asking for tokens leaves it in its place')
}

async function checkCopy (page) {
  const place = () => page.evaluate(() => window.scrollY)
  await page.focus('.token-row .bar > button')
  const before = await place()
  await page.keyboard.press('Enter')
  await waitForText(page, '.token-row .bar > button', /Copied|Not allowed/)
  report(await page.evaluate(() => document.activeElement.matches('.token-row .bar > button')), 'copying keeps it')
  equal(await place(), before, 'and scrolls nowhere')
}

async function checkEditor (page) {
  await page.$eval('.editor', details => { details.open = true })
  await page.$eval('.place-editor select', select => {
    select.value = [...select.options].find(option => option.text.includes('●')).value
    select.dispatchEvent(new Event('change', { bubbles: true }))
  })
  await page.waitForSelector('.place-editor > button')
  await press(page, '.place-editor > button')
  await page.waitForFunction(() => !document.querySelector('.place-editor > button'))
  report(await page.evaluate(() => document.activeElement.matches('.place-editor select')),
    'of a token that is taken out it goes to the places')
}

async function checkAll (page) {
  const [run] = await runsOf(page, 2)
  const runs = Array.from({ length: manyRuns }, (_, i) => ({ ...run, id: `copy ${i}` }))
  const text = JSON.stringify({ format: 'lavit-history', version: 1, runs })
  await page.evaluate(text => {
    const data = new DataTransfer()
    data.items.add(new File([text], 'history.json', { type: 'application/json' }))
    const field = document.querySelector('#history input[type=file]')
    field.files = data.files
    field.dispatchEvent(new Event('change', { bubbles: true }))
  }, text)
  await page.waitForSelector('.runs + button')
  await press(page, '.runs + button')
  await page.waitForFunction(count => document.querySelectorAll('.run').length === count, {}, manyRuns + 2)
  report(await page.evaluate(() => document.activeElement.matches('.run:nth-child(13) .again')),
    'showing all runs puts it on the first that was not shown')
}

async function press (page, selector) {
  await page.focus(selector)
  await page.keyboard.press('Enter')
}

async function focused (page) {
  return await page.evaluate(() => document.activeElement.getAttribute('aria-label'))
}
