// Generates clients from the document for generators, compiles them under strict, and lets each do every job on the
// server at LAVIT_URL, or on the built one. Prints a line `ok` or `not ok` for each step, and `skipped` for a language
// that is not here. `npm run generators` installs and builds what it needs.
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)
const document = '../openapi.generators.json'
const bin = 'compiled/venv/bin'
const jar = 'compiled/venv/lib/*/site-packages/openapi_generator_cli/openapi-generator.jar' // it brings Jackson, too

/** Languages side by side; the commands of one run one after the other, up to the first that fails. */
const languages = [
  {
    needs: 'node --version',
    steps: {
      'openapi-typescript generates': `npx openapi-typescript ${document} -o generated/openapi-typescript/schema.ts`,
      'hey-api generates': `npx openapi-ts -i ${document} -o generated/hey-api -c @hey-api/client-fetch`,
      'orval generates': 'npx orval --config orval.config.cjs',
      'the three compile under strict': 'npx tsc',
      'openapi-typescript does every job': 'node compiled/calls/openapi-fetch.js',
      'hey-api does every job': 'node compiled/calls/hey-api.js',
      'orval does every job': 'node compiled/calls/orval.js'
    }
  },
  {
    needs: 'python3 --version',
    steps: {
      'openapi-python-client is there':
        `python3 -m venv compiled/venv && ${bin}/pip install --quiet --disable-pip-version-check -r requirements.txt`,
      'openapi-python-client generates':
        `${bin}/openapi-python-client generate --path ${document} --output-path generated/lavit --meta none`,
      'openapi-python-client does every job': `${bin}/python calls/python_client.py`
    },
    then: {
      needs: 'javac -version',
      steps: {
        // its text for either a string or a list is no Java, so that the prompt is any object
        'openapi-generator generates Java':
          `java -jar ${jar} generate -g java --library native -i ${document} -o generated/java ` +
          '--schema-mappings GenerateRequest_prompt=Object --global-property models,modelTests=false,modelDocs=false,' +
          'apis,apiTests=false,apiDocs=false,supportingFiles --additional-properties invokerPackage=lavit,' +
          'apiPackage=lavit.api,modelPackage=lavit.model,openApiNullable=false,containerDefaultToNull=true,' +
          'hideGenerationTimestamp=true',
        'its client compiles':
          `javac -nowarn -d compiled/java -cp ${jar} $(find generated/java/src/main calls/java -name '*.java')`,
        'openapi-generator does every job in Java': `java -cp compiled/java:$(echo ${jar}) Calls`
      }
    }
  },
  {
    needs: 'go version',
    steps: {
      'oapi-codegen generates Go':
        'mkdir -p generated/golang && go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 ' +
        `-config oapi-codegen.yaml ${document}`,
      'its client in Go compiles': 'go vet ./generated/golang && go build -o compiled/golang ./calls/golang',
      'oapi-codegen does every job in Go': 'compiled/golang'
    }
  }
]

const { url, stop } = process.env.LAVIT_URL ? { url: process.env.LAVIT_URL, stop () {} } : await startServer()
for (const folder of ['generated', 'compiled']) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
}
await Promise.all(languages.map(tryLanguage))
stop()

async function tryLanguage ({ needs, steps, then }) {
  if ((await shell(needs)) !== undefined) return console.log(`skipped: \`${needs}\` does not work here`)
  for (const [name, command] of Object.entries(steps)) {
    const failure = await shell(command)
    console.log(`${failure === undefined ? 'ok' : 'not ok'} - ${name}`)
    if (failure === undefined) continue
    process.exitCode = 1
    return console.log(failure.replace(/^/gm, '# '))
  }
  if (then) await tryLanguage(then)
}

/** Why the command failed, undefined where it did not. */
async function shell (command) {
  const env = { ...process.env, LAVIT_URL: url }
  return run('sh', ['-c', command], { env }).then(
    () => undefined,
    ({ stdout, stderr }) => `${stdout}${stderr}`.slice(-4000)
  )
}

/** The built server on a free port, once its model is ready. */
async function startServer () {
  const server = spawn('node', ['../../dist/server.js'], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let url = ''
  for await (const line of createInterface({ input: server.stdout })) {
    url ||= /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? ''
    if (url !== '') break
  }
  server.stdout.resume()
  while ((await fetch(`${url}/health/ready`)).status !== 200) await new Promise(resolve => setTimeout(resolve, 200))
  return { url, stop: () => server.kill('SIGTERM') }
}
