/* global getComputedStyle, matchMedia */
/** What is seen in forced colours, in scripts that go from right to left, and with a banner over a small page. */
import { openPage, readSample, waitForText } from '../browser.js'
import { equal, report } from '../report.js'

const question = 'מה רואים כאן?'

export async function checkSight ({ browser, base }) {
  const page = await openPage(browser, base)
  await readSample(page)
  await checkDirections(page)
  await checkForced(page)
  await page.visitor.close()
  await checkBanner(browser, base)
}

async function checkDirections (page) {
  await page.type('#prompt', 'x')
  await page.$eval('#prompt', field => field.select())
  await page.type('#prompt', question)
  await page.type('#question', question)
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.run').length === 2)
  await page.$$eval('.run [aria-pressed]', buttons => buttons.forEach(button => button.click()))
  await page.waitForSelector('.comparison mark')
  const places = ['#prompt', '#question', '.ask + .written h3', '.run:first-child .asked', '.comparison td:has(mark)']
  const found = await page.evaluate((places, question) => places.map(place =>
    [...document.querySelectorAll(place)].some(element =>
      (element.value ?? element.textContent) === question && getComputedStyle(element).direction === 'rtl')
  ), places, question)
  equal(found, places.map(() => true), 'what someone wrote from right to left goes so')
}

/** What nothing but its background tells otherwise. */
async function checkForced (page) {
  const session = await page.createCDPSession()
  await session.send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'active' }] })
  const told = await page.evaluate(() => {
    const ground = selector => getComputedStyle(document.querySelector(selector)).backgroundColor
    document.querySelector('.run [aria-pressed=true]').click()
    return new Promise(resolve => setTimeout(() => resolve([
      matchMedia('(forced-colors: active)').matches,
      ground('.choose [aria-pressed=true]') !== ground('.choose [aria-pressed=false]'),
      ground('.run [aria-pressed=true]') !== ground('.run [aria-pressed=false]'),
      ground('.gauge .fill') !== ground('.gauge')
    ]), 300))
  })
  equal(told, [true, true, true, true], 'forced colours show what is pressed, and how familiar a picture is')
}

async function checkBanner (browser, base) {
  const page = await openPage(browser, base, {
    width: 320, before: () => { window.fetch = async () => { throw new TypeError('gone') } }
  })
  await waitForText(page, '.banner', /does not answer/)
  const hidden = []
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    await new Promise(resolve => setTimeout(resolve, 30))
    const name = await page.evaluate(() => {
      const { activeElement: element } = document
      if (element === document.body || element.closest('.banner')) return ''
      const top = document.querySelector('.banner').getBoundingClientRect().top
      return element.getBoundingClientRect().bottom > top ? element.outerHTML.slice(0, 80) : ''
    })
    if (name) hidden.push(name)
  }
  equal(hidden, [], 'at 320 a banner hides nothing that has the focus')
  report(await page.evaluate(() => {
    window.scrollTo(0, document.documentElement.scrollHeight)
    const end = document.querySelector('main').getBoundingClientRect().bottom
    return end <= document.querySelector('.banner').getBoundingClientRect().top
  }), 'nor the end of the page')
  await page.visitor.close()
}
