/** Loaded into the server's processes: at SIGURG, which means nothing else, they collect garbage. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
setFlagsFromString('--no-flush-bytecode') // collections age code, which would then be compiled anew
const collect = runInNewContext('gc')
process.on('SIGURG', () => collect())
