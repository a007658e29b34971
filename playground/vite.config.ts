/** Builds the page to `dist/playground`: relative links, files named by their content and compressed beforehand. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const outDir = join(import.meta.dirname, '../dist/playground')
const server = process.env.LAVIT_SERVER ?? 'http://127.0.0.1:8080'
const routes = ['/health', '/models', '/tokenize', '/detokenize', '/caption', '/vqa', '/generate', '/docs']

/** Writes a `.br` and a `.gz` beside every file of text. */
function compressed (): Plugin {
  return {
    name: 'compressed',
    closeBundle () {
      const files = readdirSync(outDir, { recursive: true, encoding: 'utf8' })
      for (const file of files.filter(name => /\.(html|js|css|svg|json)$/.test(name)).map(name => join(outDir, name))) {
        const bytes = readFileSync(file)
        writeFileSync(`${file}.br`, brotliCompressSync(bytes))
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
      }
    }
  }
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [compressed()],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // the page's own policy lets it read no script or style but files
    modulePreload: false,
    reportCompressedSize: false
  },
  server: { proxy: Object.fromEntries(routes.map(route => [route, server])) }
})
