/** Answers that break off, and those of another program at the address. */
import { createServer, request } from 'node:http'
import { once } from 'node:events'
import { captioned, openPage, waitForText } from '../browser.js'
import { equal, report } from '../report.js'

const cut = response => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 5000 }).write('{"')
  setTimeout(() => response.destroy(), 50)
}
const login = response => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>')
const gateway = response => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
const full = response => {
  response.writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': '7' })
    .end('{"code":"queue_full","detail":"Many wait"}')
}
const endEarly = response => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).end('event: queued\ndata: {"position":0}\n\n')
}

export async function checkBroken ({ browser, base }) {
  const between = await startBetween(base)
  for (const answer of [cut, login]) {
    between.break('models', answer)
    const page = await openPage(browser, between.base, { failsByIntent: true })
    await page.waitForSelector('.banner')
    between.mend()
    await page.waitForSelector('.model.ready')
    report(true, `the page finds the server after ${answer.name} answers`)
    await page.visitor.close()
  }
  const page = await openPage(browser, between.base, { failsByIntent: true })
  await page.waitForSelector('.model.ready')
  await page.setCacheEnabled(false)
  const failures = { tokenize: [cut, /broke off/], caption: [endEarly, /broke off/], assets: [gateway, /not answer/] }
  for (const [path, [answer, words]] of Object.entries(failures)) {
    const given = between.break(path, answer)
    await page.click('.samples li:nth-child(2) button')
    await given // what failed before may still be told
    await waitForText(page, '.job-line.failed, .notice', words)
    between.mend()
  }
  for (const [answer, words] of [[gateway, /answered 502/], [full, /Many wait; try again in 7 s\./]]) {
    const given = between.break('tokenize', answer)
    await page.click('.samples li:nth-child(2) button')
    await given
    await waitForText(page, '.job-line.failed', words)
    between.mend()
  }
  equal(await page.$$eval('.run', runs => runs.length), 0, 'what breaks off is told, and no run')
  await page.click('.samples li:nth-child(6) button')
  await captioned(page)
  await page.visitor.close()
  between.end()
}

/** Passes all on, but for a path that is broken. */
async function startBetween (base) {
  let broken
  const server = createServer((incoming, outgoing) => {
    if (broken && incoming.url.startsWith(`/${broken.path}`)) {
      broken.given()
      return broken.answer(outgoing)
    }
    const { method, headers } = incoming
    incoming.pipe(request(new URL(incoming.url, base), { method, headers }, answer => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      answer.pipe(outgoing)
    }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    base: `http://127.0.0.1:${server.address().port}/`,
    /** Resolves when it has been answered so. */
    break: (path, answer) => new Promise(resolve => { broken = { path, answer, given: resolve } }),
    mend: () => { broken = undefined },
    end: () => server.close()
  }
}
