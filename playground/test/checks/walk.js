/* global getComputedStyle */
/** The page at widths of a phone and a desk, in both themes: accessible, and never wider than its window. */
import axe from 'axe-core'
import { openPage, paint, readSample } from '../browser.js'
import { equal, report } from '../report.js'

export async function checkWalk ({ browser, base }) {
  let rules = 0
  for (const theme of ['light', 'dark']) {
    for (const width of [360, 1280]) {
      const page = await openPage(browser, base, { theme, width, touch: width === 360 })
      const name = `${theme}, ${width} wide`
      const found = []
      const look = async where => {
        const { violations, passes } = await audit(page)
        rules = Math.max(rules, passes)
        found.push(...violations.map(violation => `${where}: ${violation}`))
        report(await fits(page), `${name}, ${where}: no wider than the window`)
      }
      if (width === 360) await checkTouch(page)
      await page.waitForSelector('.model.ready')
      if (width === 1280) await look('opened')
      await readSample(page, 9)
      await askLong(page)
      await paint(page)
      await page.click('.paint-options button')
      await page.select('.add-part select', 'cats.png')
      await page.waitForSelector('.part.of-image')
      await paint(page)
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true
        document.querySelectorAll('.run [aria-pressed]').forEach((button, i) => i < 2 && button.click())
        document.querySelector('.patch.kept').focus()
      })
      await page.waitForSelector('.comparison')
      await look('everything open')
      if ((theme === 'dark') === (width === 1280)) {
        await page.evaluate(() => document.querySelector('nav button:last-child').click())
        await page.waitForSelector('dialog[open]')
        await look('help')
      }
      equal(found, [], `${name}: no violation of axe-core's rules`)
      if (width === 360) {
        await page.setViewport({ width: 320, height: 700 })
        report(await fits(page), `${theme}: nor at 320`)
      }
      await page.visitor.close()
    }
  }
  report(rules > 25, `${rules} rules of axe-core apply`)
}

/** A question without a space, longer than any line. */
async function askLong (page) {
  await page.type('#question', 'x'.repeat(120))
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.written').length === 2)
}

/** On a touch screen Enter belongs to the keyboard; who wishes for less motion gets none. */
async function checkTouch (page) {
  await page.waitForSelector('.model.ready')
  await page.focus('#prompt')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('#prompt').value.includes('\n'))
  await page.keyboard.press('Backspace')
  report(page.asked.length === 0, 'Enter does not send from a touch screen')
  const moving = await page.$$eval('*', all => all.filter(each => {
    const { animationName, transitionDuration } = getComputedStyle(each)
    return animationName !== 'none' || transitionDuration !== '0s'
  }).length)
  report(moving === 0, 'nothing moves for who wishes for less motion')
}

async function audit (page) {
  await page.evaluate(axe.source)
  return await page.evaluate(async () => {
    const { violations, passes } = await window.axe.run(document, { resultTypes: ['violations'] })
    return {
      passes: passes.length,
      violations: violations.map(({ id, nodes: [{ html, any }] }) => `${id} ${html.slice(0, 120)} ${any[0]?.message}`)
    }
  })
}

async function fits (page) {
  return await page.evaluate(() => document.scrollingElement.scrollWidth <= window.innerWidth)
}
