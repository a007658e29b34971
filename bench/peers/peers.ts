/** Other ways to serve the same weights, each started as a contestant of the benchmark. */
import type { Contestant } from '../rounds.ts'
import { startProcess } from '../servers.ts'
import { startEngines } from './engine/start.ts'
import { startPytorch } from './pytorch/start.ts'

type Peer = { about: string; start: (name: string) => Promise<Contestant | undefined> }

export const peers: { [name: string]: Peer } = {
  engine: { about: 'the bare engine: no HTTP, pictures decoded beforehand', start: startEngines },
  fastify: { about: 'Fastify and the same graphs, one by one, every id scored', start: fastify() },
  'fastify-words': { about: 'the same with the head of words alone', start: fastify('--head', 'text') },
  'fastify-16': {
    about: 'Fastify and the same graphs, up to 16 collected for 20 ms and padded, every id scored',
    start: fastify('--batch', '16', '--wait', '20')
  },
  'fastify-16-words': {
    about: 'the same with the head of words alone',
    start: fastify('--batch', '16', '--wait', '20', '--head', 'text')
  },
  pytorch: { about: 'PyTorch behind uvicorn, one by one', start: startPytorch(1, 0) },
  'pytorch-4': { about: 'PyTorch behind uvicorn, up to 4 collected for 20 ms and padded', start: startPytorch(4, 20) }
}

/** Starts those named, or all, behind `targets`; one that cannot run here is left out with a line that says why. */
export async function startPeers (names: string[], targets: Contestant[]): Promise<void> {
  const chosen = names.includes('all') ? Object.keys(peers) : names
  for (const name of chosen) {
    const peer = peers[name]
    if (peer === undefined) throw new Error(`${name} is no peer; there are ${Object.keys(peers).join(', ')}`)
    const contestant = await peer.start(name)
    if (contestant) targets.push(contestant)
  }
}

function fastify (...words: string[]) {
  return async (name: string): Promise<Contestant> => {
    const file = 'bench/peers/fastify/server.ts'
    const target = await startProcess(name, [process.execPath, ...process.execArgv, file, ...words])
    return { ...target, jobs: ['greedy'] }
  }
}
