/** Each snippet that the page shows is run as it stands, and writes the bytes that the page was answered. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openPage, paint, readSample, runsOf } from '../browser.js'
import { equal, report } from '../report.js'

const commands = {
  curl: text => ['bash', ['-c', text]],
  JavaScript: text => [process.execPath, ['--input-type=module', '-e', text]],
  Python: text => ['python3', ['-c', text]]
}

export async function checkSnippets ({ browser, base }) {
  const page = await openPage(browser, base)
  let tokens = ''
  page.on('response', async response => {
    if (response.url().includes('/tokenize')) tokens = await response.text()
  })
  await readSample(page)
  await page.type('#question', "what's on it?")
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.written .job-line.done').length === 2)
  await page.select('.add-part select', 'fox.png')
  await page.waitForSelector('.part.of-image')
  await paint(page)
  const [caption, answer, painting] = (await runsOf(page, 3)).map(run => run.answer)
  const folder = mkdtempSync(join(tmpdir(), 'lavit-'))
  copyFileSync(fileURLToPath(new URL('../../src/samples/fox.png', import.meta.url)), join(folder, 'fox.png'))
  const places = {
    tokens: ['.read > .bar .code', tokens],
    caption: ['.written .code', caption],
    answer: ['.written + .written .code, .ask + .written .code', answer],
    painting: ['#paint form .code', painting]
  }
  for (const [name, [selector, wanted]] of Object.entries(places)) {
    for (const language of Object.keys(commands)) {
      const text = await snippetOf(page, selector, language)
      const [command, options] = [commands[language](text), { cwd: folder, encoding: 'utf8' }]
      const { status, stdout, stderr, error } = spawnSync(...command, options)
      if (error?.code === 'ENOENT') {
        report(true, `${name} in ${language}: skipped, it is not installed`)
        continue
      }
      if (status !== 0) report(false, `${name} in ${language}`, stderr)
      else equal(stdout, wanted, `${name} in ${language}: the same ${wanted.length} bytes`)
    }
  }
  await page.visitor.close()
}

async function snippetOf (page, selector, language) {
  return await page.evaluate(async (selector, language) => {
    const details = document.querySelector(selector)
    details.open = true
    await new Promise(resolve => setTimeout(resolve, 30))
    const buttons = [...details.querySelectorAll('.choose button')]
    buttons.find(button => button.textContent === language).click()
    await new Promise(resolve => setTimeout(resolve, 30))
    return details.querySelector('pre').textContent
  }, selector, language)
}
