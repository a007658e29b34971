/* global indexedDB */
/** The history of this browser: over a reload, as a file, and two runs side by side. */
import { writeFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPage, paint, readSample, runsOf, waitForText } from '../browser.js'
import { equal, report } from '../report.js'

export async function checkHistory ({ browser, base }) {
  const page = await openPage(browser, base)
  await readSample(page)
  await paint(page)
  await page.click('.paint-options button')
  await paint(page)
  await waitForRuns(page, 3)
  const runs = await runsOf(page, 3)
  await page.reload()
  await waitForRuns(page, 3)
  equal(await runsOf(page, 3), runs, 'a reload keeps it')
  await checkFile(page, runs)
  await checkComparison(page)
  await checkAgain(page)
  await checkEditor(page)
  await page.visitor.close()
}

async function checkFile (page, runs) {
  const text = await page.evaluate(async () => {
    const made = URL.createObjectURL
    const blobs = []
    URL.createObjectURL = blob => {
      blobs.push(blob)
      return made.call(URL, blob)
    }
    document.querySelector('#history .bar button').click()
    return await blobs[0].text()
  })
  equal(JSON.parse(text).runs.length, 3, 'it is exported as JSON')
  await press(page, '#history .bar button', /Delete all/)
  await waitForRuns(page, 0)
  await press(page, '#history .bar button', /Bring 3 back/)
  await waitForRuns(page, 3)
  equal(await runsOf(page, 3), runs, 'all that was deleted can be brought back')
  await press(page, '#history .bar button', /Delete all/)
  await waitForRuns(page, 0)
  const file = join(mkdtempSync(join(tmpdir(), 'lavit-')), 'history.json')
  writeFileSync(file, text)
  await (await page.$('#history input[type=file]')).uploadFile(file)
  await waitForRuns(page, 3)
  equal(await runsOf(page, 3), runs, 'and imported as it was')
  await page.focus('.run:last-child .run-buttons button:last-child')
  await page.keyboard.press('Enter')
  await waitForRuns(page, 2)
  equal(
    await page.evaluate(() => document.activeElement.closest('.run:last-child') !== null),
    true,
    'the focus is on the run beside one that was deleted'
  )
  await (await page.$('#history input[type=file]')).uploadFile(file)
  await waitForRuns(page, 3)
  const [first] = JSON.parse(text).runs
  const wrong = { ...JSON.parse(text), runs: [{ ...first, id: 'wrong', at: 'yesterday' }] }
  writeFileSync(file, JSON.stringify(wrong))
  await (await page.$('#history input[type=file]')).uploadFile(file)
  await waitForText(page, '#history [role=status]', /no history/)
  await keepRun(page, wrong.runs[0])
  await page.reload()
  await waitForRuns(page, 3)
  report(true, 'a run that cannot be shown is not brought in, and hides no other where it was kept')
  await page.evaluate(() => new Promise(resolve => {
    indexedDB.open('lavit-playground').onsuccess = ({ target: { result: db } }) => {
      db.transaction('runs', 'readwrite').objectStore('runs').delete('wrong').onsuccess = resolve
    }
  }))
  writeFileSync(file, '{}')
  await (await page.$('#history input[type=file]')).uploadFile(file)
  await waitForText(page, '#history [role=status]', /no history/)
  report(true, 'another file is told to be none')
}

async function checkComparison (page) {
  await page.evaluate(() => [...document.querySelectorAll('.run')]
    .filter(run => /rocket/.test(run.textContent))
    .forEach(run => run.querySelector('[aria-pressed]').click()))
  await page.waitForSelector('.comparison')
  equal(
    await page.$$eval('.comparison tr.differs th', names => names.map(name => name.firstChild.textContent)),
    ['seed'],
    'two runs stand side by side, and what differs is marked'
  )
  equal(await page.$$eval('.comparison figure img', images => images.length), 2, 'with their pictures')
}

async function checkAgain (page) {
  await press(page, '.run .again', /fox/)
  await page.waitForFunction(() => /fox/.test(document.querySelector('.read .written .words')?.textContent))
  equal((await runsOf(page, 3)).length, 3, 'a run is shown again, and not counted twice')
}

/** Into the browser, past the page. */
async function keepRun (page, run) {
  await page.evaluate(run => new Promise(resolve => {
    indexedDB.open('lavit-playground').onsuccess = ({ target: { result: db } }) => {
      db.transaction('runs', 'readwrite').objectStore('runs').put(run).onsuccess = resolve
    }
  }), run)
}

/** What is edited is the picture that is shown, also where one painted before is shown in the place of another. */
async function checkEditor (page) {
  const [one, other] = (await runsOf(page, 3)).flatMap(({ call, answer }) => (call.image ? [] : [JSON.parse(answer)]))
  const shown = []
  for (const place of [0, 1, 0]) {
    await page.evaluate(place => {
      [...document.querySelectorAll('.run .again')].filter(run => /rocket/.test(run.textContent))[place].click()
    }, place)
    await new Promise(resolve => setTimeout(resolve, 300))
    shown.push(await page.$eval('.editor textarea', field => field.value))
  }
  const tokens = [other, one, other].map(({ images: [picture] }) => picture.visual_tokens.join(', '))
  equal(shown, tokens, 'the tokens to edit are those of the run that is shown')
}

async function waitForRuns (page, count) {
  await page.waitForFunction(count => document.querySelectorAll('.run').length === count, {}, count)
}

async function press (page, selector, pattern) {
  await page.$$eval(selector, (buttons, source) =>
    buttons.find(button => new RegExp(source).test(button.textContent)).click(), pattern.source)
}
