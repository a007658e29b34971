/* global DataTransfer, DragEvent, ClipboardEvent */
/** Ways for a picture to come in: each asks with the same bytes. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { captioned, openPage, waitForText } from '../browser.js'
import { equal, report } from '../report.js'
import { until } from '../server.js'

const path = fileURLToPath(new URL('../../src/samples/octopus.png', import.meta.url))

export async function checkFiles ({ browser, base }) {
  const page = await openPage(browser, base)
  const sent = await watchPictures(page)
  const ways = {
    sample: () => page.click('.samples li:nth-child(6) button'),
    file: async () => (await page.$('.intake input[type=file]')).uploadFile(path),
    drop: () => give(page, 'drop'),
    paste: () => give(page, 'paste')
  }
  for (const way of Object.values(ways)) {
    const { length } = sent
    await way()
    await until(() => sent.length > length)
    await captioned(page)
  }
  equal(sent.length, 4, 'a sample, a file, a drop and a paste are read')
  equal(new Set(sent).size, 1, 'and send the same bytes')

  await page.click('.ways button:nth-of-type(2)')
  await page.waitForFunction(() => document.querySelector('dialog video')?.videoWidth > 0)
  await page.click('.camera button')
  await page.waitForFunction(() => document.querySelector('.read img')?.alt.includes('camera'))
  await page.waitForFunction(() => document.querySelector('.count b')?.textContent !== '–')
  report(sent.length === 5, 'the camera, too')

  await give(page, 'drop', 'text/plain')
  await waitForText(page, '.notice', /no picture/)
  report(true, 'another file is told to be no picture')
  await give(page, 'drop', 'folder')
  await waitForText(page, '.notice', /cannot be read/)
  report(true, 'a folder is told to be unreadable')
  report(!(await pasteBoth(page)), 'words that come with their picture stay the words of a field')
  await (await page.$('.add-part input[type=file]')).uploadFile(fileURLToPath(import.meta.url))
  await waitForText(page, '.notice', /files\.js is no picture/)
  equal(await page.$$eval('.part', parts => parts.length), 1, 'nor does another file become part of a prompt')
  await page.visitor.close()
}

/** Whether the page took what was pasted into a field: a text and its picture, as tables are copied. */
async function pasteBoth (page) {
  return await page.evaluate(() => {
    const data = new DataTransfer()
    data.setData('text/plain', 'words')
    data.items.add(new File([new Uint8Array(9)], 'image.png', { type: 'image/png' }))
    const paste = new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data })
    document.querySelector('#prompt').dispatchEvent(paste)
    return paste.defaultPrevented
  })
}

/** Digests of the pictures that are sent to be tokenized, as they are. */
async function watchPictures (page) {
  const sent = []
  await page.exposeFunction('noteSent', digest => sent.push(digest))
  await page.evaluate(() => {
    const { fetch } = window
    window.fetch = async (url, init) => {
      if (String(url).includes('tokenize')) {
        const bytes = await new Response(init.body).arrayBuffer()
        const digest = await crypto.subtle.digest('SHA-256', bytes)
        window.noteSent([...new Uint8Array(digest)].join(' '))
      }
      return await fetch(url, init)
    }
  })
  return sent
}

/** Drops or pastes a file, as the browser hands it to a page; one of the type `folder` cannot be read. */
export async function give (page, how, type = 'image/png', bytes = readFileSync(path)) {
  await page.evaluate((how, type, text) => {
    const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0))
    const data = new DataTransfer()
    if (type === 'folder') File.prototype.arrayBuffer = async () => { throw new DOMException('', 'NotReadableError') }
    data.items.add(new File([bytes], 'given.png', { type: type === 'folder' ? '' : type }))
    const options = { bubbles: true, cancelable: true }
    document.body.dispatchEvent(how === 'drop'
      ? new DragEvent('drop', { ...options, dataTransfer: data })
      : new ClipboardEvent('paste', { ...options, clipboardData: data }))
  }, how, type, bytes.toString('base64'))
}
