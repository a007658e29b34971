/* global MutationObserver, Node, PointerEvent */
/** Patches, tokens and sliders: what the browser draws is what the server answers. */
import { openPage, readSample, textOf, waitForText } from '../browser.js'
import { equal, report } from '../report.js'

const thresholds = Array.from({ length: 20 }, (_, i) => Math.round((0.02 + i * 0.05) * 100) / 100)
const bounds = [{ min_visual_tokens: 30 }, { max_visual_tokens: 7 }, { min_visual_tokens: 12, max_visual_tokens: 12 }]

export async function checkReading ({ browser, base }) {
  const page = await openPage(browser, base)
  await readSample(page, 2)
  const caption = await textOf(page, '.written .words')
  report(/pizza|key|sunflower|bicycle/.test(caption), `a sample is described in one click: ${caption}`)
  await checkMarks(page)
  await checkSliders(page, base)
  await page.type('#question', 'how many things are there?')
  await page.keyboard.press('Enter')
  await waitForText(page, '.written h3', /how many/)
  await page.waitForFunction(() => document.querySelectorAll('.written .job-line.done').length === 2)
  const [, said] = await page.$$eval('.written .words', words => words.map(each => each.textContent.trim()))
  report(/\w/.test(said), `a question is answered: ${said}`)
  await checkUnknown(page)
  await page.visitor.close()
}

async function checkMarks (page) {
  const wrong = await page.evaluate(async () => {
    const point = async (cell, others) => {
      cell.dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))
      cell.dispatchEvent(new PointerEvent('pointerenter'))
      await new Promise(resolve => setTimeout(resolve, 20))
      return [...document.querySelectorAll(`${others}.active`)]
    }
    const wrong = []
    const kept = [...document.querySelectorAll('.read .patch.kept')]
    if (kept.length < 5) wrong.push('few')
    for (const patch of kept) {
      const tokens = await point(patch, '.read .token')
      if (tokens.length !== 1 || tokens[0].dataset.token !== patch.dataset.place) wrong.push(patch.dataset.place)
    }
    for (const token of document.querySelectorAll('.read .token')) {
      const patches = await point(token, '.read .patch')
      if (patches.length !== 1 || patches[0].dataset.place !== token.dataset.token) wrong.push(token.dataset.token)
    }
    return wrong
  })
  equal(wrong, [], 'each kept patch marks its one token, and each token its patch')
}

async function checkSliders (page, base) {
  const before = page.asked.length
  const drawn = []
  for (const keepThreshold of thresholds) drawn.push(await choose(page, { keep_threshold: keepThreshold }))
  for (const bound of bounds) drawn.push(await choose(page, { keep_threshold: 0.5, ...bound }))
  equal(page.asked.length, before, 'moving the sliders asks nothing of the server')
  const file = await page.evaluate(async () => {
    const picture = document.querySelector('.samples li:nth-child(3) img')
    return [...new Uint8Array(await (await fetch(picture.src)).arrayBuffer())]
  })
  const answered = []
  for (const options of [...thresholds.map(value => ({ keep_threshold: value })),
    ...bounds.map(bound => ({ keep_threshold: 0.5, ...bound }))]) {
    const answer = await fetch(`${base}tokenize?${new URLSearchParams(options)}`, {
      method: 'POST', headers: { 'content-type': 'image/png' }, body: new Uint8Array(file)
    })
    const { keep_mask: mask, count } = await answer.json()
    answered.push({ mask, count })
  }
  equal(drawn, answered, `at ${thresholds.length} thresholds and ${bounds.length} bounds the patches are the server's`)
  await page.$$eval('.stale button', buttons => buttons[0]?.click())
  await page.waitForFunction(() => !document.querySelector('.stale button'))
  report(!(await textOf(page, '.read .tokens')).includes('?'), 'the tokens of a choice can be asked for')
}

/** Sets the sliders, those of no value to their ends, and tells what is drawn then. */
async function choose (page, values) {
  return await page.evaluate(async values => {
    for (const name of ['min_visual_tokens', 'max_visual_tokens', 'keep_threshold']) {
      const slider = document.querySelector(`.sliders input[name='${name}']`)
      slider.value = String(values[name] ?? (name === 'min_visual_tokens' ? slider.min : slider.max))
      slider.dispatchEvent(new Event('input', { bubbles: true }))
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    const mask = [...document.querySelectorAll('.read .patch')].map(patch => patch.classList.contains('kept'))
    return { mask, count: Number(document.querySelector('.read .count b').textContent) }
  }, values)
}

async function checkUnknown (page) {
  const order = []
  await page.exposeFunction('noteOrder', what => order.push(what))
  await page.evaluate(() => {
    const seen = new Set()
    new MutationObserver(() => {
      for (const [what, selector] of [['warning', '.read .warning'], ['words', '.written .words']]) {
        const found = document.querySelector(selector)
        if (!found?.textContent.trim() || seen.has(what)) continue
        seen.add(what)
        window.noteOrder(what)
      }
    }).observe(document.body, { childList: true, subtree: true, characterData: true })
  })
  await page.click('.samples li:nth-child(10) button')
  await waitForText(page, '.read .warning', /unlike/)
  await page.waitForFunction(() => document.querySelector('.written .words')?.textContent.trim())
  const isAbove = await page.evaluate(() =>
    Boolean(document.querySelector('.read .warning').compareDocumentPosition(document.querySelector('.written')) &
      Node.DOCUMENT_POSITION_FOLLOWING)
  )
  report(isAbove && order[0] === 'warning', 'a photograph is warned of above what is said, and before', order)
}
