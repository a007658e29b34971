/** The keys that the server knows at this moment, looked up by their hash. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { unwatchFile, watchFile } from 'node:fs'
import type { FastifyBaseLogger } from 'fastify'
import { readKeys, type KeyEntry } from '../config/keys.ts'
import { StartError } from '../config/variables.ts'

/** The name is told in the log, the key never. */
export type Key = Pick<KeyEntry, 'name' | 'scopes' | 'rate' | 'share'> & { digest: Buffer }
export type Keyring = ReturnType<typeof openKeyring>

const lookMs = 1000

/**
 * Reads the file, where there is one, and again whenever it changes; a broken version leaves the keys as they are.
 * Throws a StartError for one that is broken from the start.
 */
export function openKeyring (
  { keysFile, adminKey }: { keysFile: string | undefined; adminKey: string | undefined },
  log: Pick<FastifyBaseLogger, 'info' | 'warn'>
) {
  const admin: Key[] =
    adminKey === undefined ? [] : [{ name: 'LAVIT_ADMIN_KEY', scopes: ['admin'], digest: digestOf(adminKey) }]
  let keys = keysFile === undefined ? admin : [...admin, ...read(keysFile)]

  function reload (file: string) {
    try {
      keys = [...admin, ...read(file)]
      log.info({ keys: keys.map(({ name }) => name) }, 'keys read again')
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      log.warn(`${error.message}; the keys stay as they were`)
    }
  }
  const look = () => keysFile !== undefined && reload(keysFile)
  // by its state rather than by events: those miss a file that is replaced, or reached through links
  if (keysFile !== undefined) watchFile(keysFile, { interval: lookMs, persistent: false }, look)

  return {
    /** Whether the routes ask for a key; those of the admin always do. */
    isClosed: keysFile !== undefined,
    isEmpty: () => keys.length === 0,

    /** Takes as long whatever is sent: hashes are compared, and with every key. */
    find (secret: string): Key | undefined {
      const digest = digestOf(secret)
      return keys.filter(key => timingSafeEqual(key.digest, digest))[0]
    },

    /** The key of this name, of whoever acts on its behalf. */
    named: (name: string): Key | undefined => keys.find(key => key.name === name),

    close () {
      if (keysFile !== undefined) unwatchFile(keysFile, look)
    }
  }
}

function read (file: string): Key[] {
  return readKeys(file).map(({ sha256, ...key }) => ({ ...key, digest: Buffer.from(sha256, 'hex') }))
}

function digestOf (secret: string) {
  return createHash('sha256').update(secret).digest()
}
