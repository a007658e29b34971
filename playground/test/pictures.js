/** Takes the pictures of the README: `node pictures.js [PORT]`, after `npm run build`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import sharp from 'sharp'
import { captioned, openPage, startBrowser } from './browser.js'
import { startServer } from './server.js'

const out = fileURLToPath(new URL('../../docs/pictures', import.meta.url))
const [width, height] = [1280, 960]
const tick = 110
const thresholds = [0.55, 0.65, 0.75, 0.85, 0.92, 0.97, 0.9, 0.7, 0.5, 0.3, 0.15, 0.05, 0.15, 0.3, 0.5]
const walk = [10, 11, 12, 13, 17, 18, 19, 20]

const server = await startServer({ port: Number(process.argv[2] ?? 8149) })
const browser = await startBrowser()
const page = await openPage(browser, server.base, { width })
await page.setViewport({ width, height })
await page.waitForSelector('.model.ready')
const frames = []
const delay = []

await take(8)
await page.click('.samples li:nth-child(3) button')
await page.waitForSelector('.patch.kept')
await take(2)
await captioned(page)
await pause(100)
await take(12)
for (const threshold of thresholds) {
  await write('[name=keep_threshold]', threshold)
  await take(1)
}
await take(4)
for (const place of walk) {
  await page.evaluate(place => document.querySelector(`.read .patch[data-place='${place}']`).focus(), place)
  await pause(30)
  await take(2)
}
await write('#prompt', 'a cactus on a yellow background')
await write('[name=seed]', 1)
await write('[name=n]', 2)
await take(4)
await page.click('#paint-button')
for (let i = 0; i < 40 && !(await page.$('#paint .job-line.done')); i++) await take(1)
await take(18)

mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'playground.png'), await sharp(frames.at(-1)).png({ palette: true, effort: 10 }).toBuffer())
const small = await Promise.all(frames.map(frame => sharp(frame).resize(800).png().toBuffer()))
const film = sharp(small, { join: { animated: true } })
const gif = await film.gif({ delay, dither: 0, effort: 10, interFrameMaxError: 4 }).toBuffer()
writeFileSync(join(out, 'playground.gif'), gif)
await browser.close()
await server.end()

/** One frame, for so many ticks. */
async function take (ticks) {
  frames.push(Buffer.from(await page.screenshot()))
  delay.push(ticks * tick)
}

async function write (selector, value) {
  await page.$eval(selector, (field, value) => {
    field.value = value
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }, String(value))
}
