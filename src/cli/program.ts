/** The commands of `lavit`: their words and options. What they do is loaded when they run. */
import { Command } from 'commander'
import type { Field } from './document.ts'
import { exitCodes, wrongUsage } from './endings.ts'
import type { Io } from './io.ts'
import { jobNames, type JobName } from './jobs.ts'
import type { BenchOptions } from './commands/bench.ts'
import type { BulkOptions } from './commands/bulk.ts'
import {
  addFields,
  addSettings,
  checkFields,
  fieldsOfBulk,
  fieldsOfJob,
  namesGiven,
  readFields,
  readSettings,
  type Sources
} from './options.ts'
import { createOutput } from './output.ts'
import { fieldsOfBench, fieldsOfOut, fieldsOfOverlay, fieldsOfSign, ownFieldsOfBulk } from './own-fields.ts'
import { readVersion } from './root.ts'
import { runSession, type Session } from './session.ts'
import { settings, type ConfigFile } from './settings.ts'

type Act = (session: Session, fields: Record<string, unknown>) => Promise<number>

const pictures = 'files, folders, globs, URLs where the server fetches them; - is stdin'

/** The program for such words, and how the command that ran has ended. */
export async function buildProgram (words: string[], io: Io, sources: Sources) {
  let exitCode: number = exitCodes.ok
  const program = new Command('lavit')
    .description('Captions, answers, visual tokens and pictures, from a server or from the model in this process.')
    .version(readVersion())
    .exitOverride()
    .configureOutput({ writeOut: text => io.stdout.write(text), writeErr: text => io.stderr.write(text) })

  const caption = addJob('caption', 'A sentence about each picture').argument('[pictures...]', pictures)
  caption.action(async (words: string[]) => {
    const { caption: write } = await import('./commands/understand.ts')
    await work(caption, (session, fields) => write(session, words, fields))
  })

  const ask = addJob('ask', 'An answer about each picture')
    .argument('<question>', 'what to ask; - is stdin')
    .argument('[pictures...]', pictures)
  ask.action(async (question: string, words: string[]) => {
    const { ask: answer } = await import('./commands/understand.ts')
    await work(ask, (session, fields) => answer(session, question, words, fields))
  })

  const tokenize = addJob('tokenize', 'The visual tokens of each picture', fieldsOfOverlay)
    .argument('<pictures...>', pictures)
  tokenize.action(async (words: string[], { overlay }: { overlay?: string }) => {
    const { tokenize: read } = await import('./commands/tokenize.ts')
    await work(tokenize, (session, fields) => read(session, words, fields, overlay))
  })

  const paint = addJob('paint', 'Pictures after a prompt', fieldsOfOut)
    .argument('[prompt...]', 'texts in order, and pictures as @FILE; - is the text of stdin')
  paint.action(async (words: string[], { out }: { out?: string }) => {
    const { paint: draw } = await import('./commands/paint.ts')
    await work(paint, (session, fields) => draw(session, words, fields, out))
  })

  const detokenize = addJob('detokenize', 'The picture of visual tokens', fieldsOfOut)
    .argument('[tokens...]', 'numbers, or - for what lavit tokenize wrote')
  detokenize.action(async (words: string[], { out }: { out?: string }) => {
    const { detokenize: draw } = await import('./commands/paint.ts')
    await work(detokenize, (session, fields) => draw(session, words, fields, out))
  })

  const estimates = add('estimate', 'What a job would come to, which is not done')
  for (const name of words.includes('estimate') ? jobNames : []) {
    const estimate = estimates.command(name).description(`What lavit ${name} would come to`)
    addFields(estimate, fieldsOfJob(name), sources)
    addSettings(estimate, sources)
    estimate.argument('[words...]', `those of lavit ${name}`).action(async (words: string[]) => {
      const { estimate: tell } = await import('./commands/estimate.ts')
      await work(Object.assign(estimate, { job: name }), (session, fields) => tell(session, name, words, fields))
    })
  }

  const fields = [...ownFieldsOfBulk, ...fieldsOfBulk()]
  const bulk = addAsking('bulk', 'Many pictures, into a folder that an interrupted job goes on from', fields)
    .argument('[inputs...]', 'files, folders, globs, lists in .jsonl; - is such a list on stdin')
  bulk.action(async (inputs: string[], options: BulkOptions) => {
    const { bulk: run } = await import('./commands/bulk.ts')
    const given = namesGiven(bulk, fields)
    await work(bulk, session => run(session, inputs, readFields(bulk, fieldsOfBulk()), { ...options, given }))
  })

  const bench = addAsking('bench', 'How fast answers about pictures come', fieldsOfBench)
    .argument('<pictures...>', pictures)
  bench.action(async (words: string[], options: BenchOptions) => {
    const { bench: measure } = await import('./commands/bench.ts')
    await work(bench, session => measure(session, words, options))
  })

  const models = addAsking('models', 'The models there are').argument('[name]', 'one of them, in full')
  models.action(async (name: string | undefined) => {
    const { models: list } = await import('./commands/models.ts')
    await work(models, session => list(session, name))
  })

  add('sign', 'Signs a model package whose files are as its manifest says', fieldsOfSign)
    .argument('<package>', 'its folder')
    .action(async (folder: string, { key }: { key: string }) => {
      const { sign } = await import('./commands/sign.ts')
      io.stdout.write(`${await sign(folder, key)}\n`)
    })

  const serve = program.command('serve').description('The server; options are its variables')
  if (words.includes('serve')) {
    const { fieldsOfServer } = await import('./commands/serve.ts')
    const fields = fieldsOfServer()
    addFields(serve, fields, sources)
    checkFields(serve, fields, sources)
    serve.action(async () => {
      const values = readFields(serve, fields)
      await io.serve(
        Object.fromEntries(
          fields.flatMap(({ name, variable }) => (name in values ? [[variable, String(values[name])]] : []))
        )
      )
    })
  }

  const config = addAsking('config', 'Each setting, and where its value comes from')
  config.action(async () => {
    const { config: tell } = await import('./commands/config.ts')
    exitCode = await tell(config, program.commands, sources, createOutput(io, readSettings(config)))
  })

  if (words[0] === 'complete' || words[0] === 'completion') {
    const { default: addCompletion } = await import('@bomb.sh/tab/commander')
    addCompletion(program, { completionCommandName: 'completion' })
  } else {
    add('completion', 'A script that completes words of lavit in a shell').argument('<shell>')
  }
  checkNames(sources.file, program)
  return { program, exitCode: () => exitCode }

  function add (name: string, description: string, fields: Field[] = []) {
    const command = program.command(name).description(description)
    addFields(command, fields, sources)
    checkFields(command, fields, sources)
    return command
  }

  function addAsking (name: string, description: string, fields?: Field[]) {
    const command = add(name, description, fields)
    addSettings(command, sources)
    return command
  }

  function addJob (name: JobName, description: string, own: Field[] = []) {
    return Object.assign(addAsking(name, description, [...fieldsOfJob(name), ...own]), { job: name })
  }

  /** Runs what a command does, and keeps how it ended. */
  async function work (command: Command & { job?: JobName }, act: Act) {
    const fields = command.job === undefined ? {} : readFields(command, fieldsOfJob(command.job))
    exitCode = await runSession(readSettings(command), io, session => act(session, fields))
  }
}

/** Throws an Ending where the configuration file has what is neither a setting nor a command. */
function checkNames ({ path, values }: ConfigFile, { commands }: Command) {
  const known = [...settings, ...commands.map(command => ({ name: command.name() }))].map(({ name }) => name)
  const strange = Object.keys(values).find(name => !known.includes(name))
  if (strange !== undefined) throw wrongUsage(`${path}: ${strange} is no setting`)
}
