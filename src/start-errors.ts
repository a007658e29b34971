/** What can keep the server from starting, told by the variable that is to blame. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openFolder } from './batches/folder.ts'
import type { Config } from './config/config.ts'
import { readKeys } from './config/keys.ts'
import { refuse, StartError } from './config/variables.ts'
import { ServerError } from './errors.ts'

/** Throws a StartError with a line for each of what keeps the server from starting, as far as it can be seen before. */
export function checkStart (config: Config) {
  tellTogether([
    () => checkModels(config),
    () => checkBatches(config),
    () => config.keysFile !== undefined && readKeys(config.keysFile)
  ].flatMap(check => {
    try {
      check()
      return []
    } catch (error) {
      return [error]
    }
  }))
}

/** Throws what went wrong, if anything did: a fault as it is, what the variables are to blame for in one. */
export function tellTogether (errors: unknown[]) {
  const told = errors.filter(error => error instanceof StartError)
  if (told.length < errors.length) throw errors.find(error => !(error instanceof StartError))
  const lines = [...new Set(told.map(({ message }) => message))]
  if (lines.length > 0) throw new StartError(lines.join('\n'), Math.max(...told.map(({ exitCode }) => exitCode)))
}

/** Throws a StartError where the folder of models cannot be read, or holds no default model. */
export function checkModels ({ modelsFolder, defaultModel }: Config) {
  const packages = findPackages(modelsFolder)
  if (packages.includes(defaultModel)) return
  if (packages.length === 0) {
    throw refuse('LAVIT_MODELS', modelsFolder, 'a folder that holds model packages, each a folder with a manifest.json')
  }
  throw refuse('LAVIT_MODEL', defaultModel, `a package of ${modelsFolder}: ${packages.join(', ')}`)
}

/** Makes the folder of batches, where one is named. Throws a StartError where it cannot be written. */
export function checkBatches ({ batchFolder }: Pick<Config, 'batchFolder'>) {
  if (batchFolder === undefined) return
  try {
    openFolder(batchFolder)
    accessSync(batchFolder, constants.R_OK | constants.W_OK)
  } catch {
    throw refuse('LAVIT_BATCH_DIR', batchFolder)
  }
}

/** The error to end with when the server cannot listen on the port of this variable. */
export function explainListenError (
  error: NodeJS.ErrnoException,
  { host, port }: Pick<Config, 'host' | 'port'>,
  variable: 'PORT' | 'LAVIT_METRICS_PORT' = 'PORT'
): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(`${variable}=${port} is in use on ${host}; allowed is a free port, or 0 to take one`, 1)
    case 'EACCES':
      return refuse(variable, port, 'a port that this user may listen on, mostly from 1024, or 0 for a free one')
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return refuse('HOST', host)
    default:
      return error.syscall === 'getaddrinfo' ? refuse('HOST', host) : error
  }
}

/**
 * The error to end with when the default model did not load; undefined where it may load later, or is not wanted any
 * more.
 */
export function explainLoadError (error: unknown, { defaultModel, devices }: Config): unknown {
  if (!(error instanceof ServerError)) return error
  if (error.code === 'draining' || error.retryAfterSeconds !== undefined) return undefined
  return new StartError(
    `LAVIT_MODEL=${JSON.stringify(defaultModel)} cannot be served on LAVIT_DEVICE=${JSON.stringify(devices.join())}: ` +
      `${error.message}`
  )
}

function findPackages (folder: string) {
  try {
    return readdirSync(folder)
      .sort()
      .filter(name => existsSync(join(folder, name, 'manifest.json')))
  } catch {
    throw refuse('LAVIT_MODELS', folder)
  }
}
