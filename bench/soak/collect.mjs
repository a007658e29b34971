/** Loaded into the server's processes: at SIGURG, which means nothing else, they collect garbage. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
process.on('SIGURG', () => collect())
