/** How much there is to load, and what the page may do. */
import { gzipSync } from 'node:zlib'
import { report } from '../report.js'

const mostBytes = 60_000

export async function checkBuild ({ base }) {
  const answer = await fetch(base)
  const policy = answer.headers.get('content-security-policy')
  report(!/unsafe/.test(policy) && /trusted-types 'none'/.test(policy), `nothing unsafe in: ${policy}`, policy)
  const page = await answer.text()
  report(!/<script(?![^>]*src=)|<style|style=/.test(page), 'no script and no style inside the page', page)
  let total = 0
  for (const [path] of page.matchAll(/assets\/[^"]+\.js/g)) {
    const script = await fetch(base + path, { headers: { 'accept-encoding': 'gzip' } })
    total += gzipSync(Buffer.from(await script.arrayBuffer()), { level: 9 }).length
  }
  report(total > 0 && total <= mostBytes, `${total} bytes of script, compressed by gzip, of ${mostBytes}`)
}
