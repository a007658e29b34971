/** Loaded before `lavit` by `--import`: the process does not survive a picture whose bytes are `poison`. */
const poison = Buffer.from('poison').toString('base64')
const { fetch } = globalThis

globalThis.fetch = async (input, init) => {
  if (String(init?.body).includes(`"${poison}"`)) process.kill(process.pid, 'SIGKILL')
  return fetch(input, init)
}
