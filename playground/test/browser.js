/* global indexedDB */
/** A real browser, and pages of it that note what should not happen. */
import { existsSync } from 'node:fs'
import puppeteer from 'puppeteer-core'
import { until } from './server.js'

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export async function startBrowser () {
  const executablePath = places.find(path => path && existsSync(path))
  if (!executablePath) throw new Error('there is no Chromium')
  return await puppeteer.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream'
    ]
  })
}

/** What went wrong on any page: errors of the console, and requests to other hosts. */
export const noted = { errors: [], foreign: [] }

/**
 * A page of a visitor of its own. Requests that fail by intent are errors of the console, too: `failsByIntent` leaves
 * those out. `before` runs in the page before its scripts.
 */
export async function openPage (browser, base, options = {}) {
  const { width = 1280, theme = 'light', path = '', failsByIntent = false, context, touch = false, before } = options
  const visitor = context ?? (await browser.createBrowserContext())
  await visitor.overridePermissions(new URL(base).origin, ['camera'])
  const page = await visitor.newPage()
  page.setDefaultTimeout(20_000)
  const asked = []
  page.on('console', message => {
    const isIntended = failsByIntent && /Failed to load resource|ERR_/.test(message.text())
    if (['error', 'warn'].includes(message.type()) && !isIntended) noted.errors.push(message.text())
  })
  page.on('pageerror', error => noted.errors.push(error.message))
  page.on('request', request => {
    const url = new URL(request.url())
    if (url.protocol.startsWith('http') && url.origin !== new URL(base).origin) noted.foreign.push(request.url())
    if (request.method() === 'POST') asked.push(request)
  })
  if (before) await page.evaluateOnNewDocument(before)
  await page.setViewport({ width, height: 900, hasTouch: touch })
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: theme },
    { name: 'prefers-reduced-motion', value: 'reduce' }
  ])
  await page.goto(base + path, { waitUntil: 'load' })
  await page.waitForSelector('h1')
  return Object.assign(page, { asked, visitor })
}

export async function textOf (page, selector) {
  return await page.$eval(selector, element => element.textContent.trim())
}

export async function waitForText (page, selector, pattern) {
  await page.waitForFunction((selector, source) => {
    const texts = [...document.querySelectorAll(selector)].map(each => each.textContent)
    return texts.some(text => new RegExp(source).test(text))
  }, {}, selector, pattern.source)
}

/** Reads a sample by its place in the row, until its caption is there. */
export async function readSample (page, place = 0) {
  await page.click(`.samples li:nth-child(${place + 1}) button`)
  await captioned(page)
}

export async function captioned (page) {
  await page.waitForSelector('.read .written .job-line.done')
}

export async function paint (page) {
  await page.click('#paint-button')
  await painted(page)
}

export async function painted (page) {
  await page.waitForFunction(() =>
    document.querySelector('#paint .job-line.done') && document.querySelector('.canvas .token-picture img')
  )
}

export async function picturesOf (page) {
  return await page.$$eval('.canvas .token-picture img', images => images.map(image => image.src))
}

/** The runs that the browser keeps, oldest first, as soon as there are so many. */
export async function runsOf (page, count) {
  let runs = []
  await until(async () => {
    runs = await keptRuns(page)
    return runs.length === count
  }, 10_000)
  return runs
}

async function keptRuns (page) {
  const runs = await page.evaluate(() => new Promise((resolve, reject) => {
    const opening = indexedDB.open('lavit-playground')
    opening.onerror = reject
    opening.onsuccess = () => {
      const reading = opening.result.transaction('runs').objectStore('runs').getAll()
      reading.onsuccess = () => resolve(reading.result)
    }
  }))
  return runs.sort((a, b) => (a.at < b.at ? -1 : 1))
}
