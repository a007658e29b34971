/** Lines `ok` and `not ok`, one for each check. */
let count = 0
let failed = 0

export function report (passed, name, detail = '') {
  console.log(`${passed ? 'ok' : 'not ok'} ${++count} - playground: ${name}`)
  if (passed) return
  failed++
  console.log(String(detail).slice(0, 2000).replace(/^/gm, '# '))
}

export function equal (found, wanted, name) {
  const [a, b] = [found, wanted].map(value => JSON.stringify(value))
  report(a === b, name, `found ${a?.slice(0, 800)}\nwanted ${b?.slice(0, 800)}`)
}

/** Runs a part; one that throws is a check that failed. */
export async function part (name, work) {
  const start = performance.now()
  await work().catch(error => report(false, `${name}: ran to its end`, error.stack))
  console.log(`# ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
}

export function haveFailed () {
  return failed > 0
}
