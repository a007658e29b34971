/** Whom to ask: the server that the settings name, or the model in this process. Only what is needed is loaded. */
import type { Io } from '../io.ts'
import type { Settings } from '../settings.ts'
import type { Peer } from './peer.ts'

/** Rejects with an Ending where the settings cannot work. */
export async function openPeer (settings: Settings, io: Io): Promise<Peer> {
  if (settings.url === undefined) {
    const { openEmbedded } = await import('./embedded.ts')
    return openEmbedded(io.env)
  }
  const { openHttp } = await import('./http.ts')
  return openHttp(settings.url, settings.key)
}
