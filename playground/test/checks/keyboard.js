/* global KeyboardEvent */
/** A task by the keyboard alone: read, walk over patches, ask, paint. */
import { captioned, openPage, painted, textOf } from '../browser.js'
import { equal, report } from '../report.js'
import { setNumber } from './painting.js'

export async function checkKeyboard ({ browser, base }) {
  const page = await openPage(browser, base)
  await page.waitForSelector('.model.ready')
  const { keyboard } = page
  await keyboard.press('?')
  await page.waitForSelector('dialog[open]')
  report(/sample/.test(await textOf(page, 'dialog')), '? lists the keys')
  await keyboard.press('Escape')
  await page.waitForFunction(() => !document.querySelector('dialog'))

  await keyboard.press('s')
  await captioned(page)
  await tabTo(page, '[role=gridcell]')
  for (const way of ['Down', 'Down', 'Down', 'Right', 'Right', 'Right']) await keyboard.press(`Arrow${way}`)
  equal(await page.evaluate(() => document.activeElement.dataset.place), '27', 'arrow keys walk over the patches')
  const active = await page.$$eval('.read .token.active', tokens => tokens.map(token => token.dataset.token))
  equal(active, ['27'], 'and mark the token')
  report(/content \d+ at row 4, column 4/.test(await textOf(page, '.read .meaning')), 'which tells what it stands for')
  await tabTo(page, '.read [role=option]')
  await keyboard.press('ArrowRight')
  const token = await page.evaluate(() => document.activeElement.dataset.token)
  const patch = await page.$eval('.read .patch.active', patch => patch.dataset.place)
  equal(token, patch, 'arrow keys walk over the tokens, and mark the patch')

  const threshold = await textOf(page, '.slider output')
  await keyboard.press('[')
  await page.waitForFunction(before => document.querySelector('.slider output').textContent < before, {}, threshold)
  await keyboard.press('q')
  await keyboard.type('what is it?')
  await keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.written .job-line.done').length === 2)
  report(true, 'a question is asked')
  await page.evaluate(() => document.activeElement.blur())
  await keyboard.press('p')
  await page.keyboard.down('Control')
  await keyboard.press('a')
  await page.keyboard.up('Control')
  await keyboard.type('an owl on a teal background')
  await keyboard.press('Enter')
  await painted(page)
  report(true, 'a picture is painted')
  await checkPrompt(page)
  await checkComposing(page)
  await checkSingleKeys(page)
  await page.visitor.close()
}

/** Enter that ends a word of an input method paints nothing, nor does it where an option is none. */
async function checkPrompt (page) {
  const { length } = page.asked
  await page.$eval('#prompt', prompt => prompt.dispatchEvent(
    new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true })
  ))
  await page.$eval('.paint-options details', details => { details.open = true })
  await page.type('input[name=n]', '99')
  await page.$eval('.paint-options details', details => { details.open = false })
  await page.focus('#prompt')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement.name === 'n')
  equal(page.asked.length, length, 'not while a word is composed, nor with a number that is too large, which is shown')
}

/** Escape that ends a word of an input method stops nothing. */
async function checkComposing (page) {
  for (const [name, value] of [['n', 8], ['steps', 50]]) await setNumber(page, name, value)
  await page.click('#paint-button')
  await page.waitForSelector('#paint .job-line.running')
  await page.evaluate(() => document.dispatchEvent(
    new KeyboardEvent('keydown', { key: 'Escape', isComposing: true, bubbles: true })
  ))
  await new Promise(resolve => setTimeout(resolve, 300))
  report((await page.$('#paint .job-line.running')) !== null, 'Escape that ends a composition stops nothing')
  await page.keyboard.press('Escape')
  await page.waitForSelector('#paint .job-line.stopped')
}

/** The box in the list of keys switches them off, also for the next visit. */
async function checkSingleKeys (page) {
  const press = async () => {
    await page.keyboard.press('?')
    await new Promise(resolve => setTimeout(resolve, 100))
    return (await page.$('dialog[open]')) !== null
  }
  await page.evaluate(() => document.activeElement.blur())
  await page.keyboard.press('?')
  await page.waitForSelector('dialog[open]')
  report(true, 'single keys do what they say')
  await page.click('dialog input[type=checkbox]')
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => !document.querySelector('dialog'))
  equal(await press(), false, 'and nothing where they are switched off')
  await page.reload()
  await page.waitForSelector('.model.ready')
  equal(await press(), false, 'nor after a reload')
  await page.evaluate(() => document.querySelector('nav button:last-child').click())
  await page.waitForSelector('dialog[open]')
  await page.click('dialog input[type=checkbox]')
  equal(await press(), false, 'switched on again, ? closes the list')
  equal(await page.evaluate(() => localStorage.length), 0, 'and nothing of it is kept')
}

/** By Tab alone. */
async function tabTo (page, selector) {
  for (let i = 0; i < 80; i++) {
    if (await page.evaluate(selector => document.activeElement.matches(selector), selector)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab never comes to ${selector}`)
}
