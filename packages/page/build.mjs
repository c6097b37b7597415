// Builds the page into dist/: index.html, and what it loads under names that hold a hash of their content.
//   node packages/page/build.mjs        (does nothing when dist/ is of the same sources)
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const output = join(folder, 'dist')

/** Where the service serves them. */
const base = '/page'

/** Files that go into the page as they are. */
const assets = ['style.css', 'icon.svg', ...readdirSync(join(folder, 'examples')).map((name) => `examples/${name}`)]

/** @param {string} name in src/ or, with its folder, in this package */
const pathOf = (name) => join(folder, name.includes('/') ? name : `src/${name}`)

/** Everything that the page is made of, the versions of its dependencies included. */
function fingerprint() {
  const sources = ['packages/page/src', 'packages/page/examples', 'packages/client/src', 'packages/shared/src']
  const root = dirname(dirname(folder))
  const files = sources.flatMap((source) => readdirSync(join(root, source)).map((name) => join(source, name)))
  const hash = createHash('sha256')
  for (const file of ['pnpm-lock.yaml', 'packages/page/build.mjs', ...files.filter((name) => !/\.test\./.test(name))]) {
    if (!/\.\w+$/.test(file)) continue
    hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** The script of the page with all that it imports, in one piece. */
async function script() {
  const { rolldown } = await import('rolldown')
  const bundle = await rolldown({
    input: pathOf('main.ts'),
    platform: 'browser',
    resolve: { conditionNames: ['@flowers/source', 'browser', 'import', 'default'] },
  })
  try {
    const { output: chunks } = await bundle.generate({ format: 'es', minify: true })
    return chunks[0].code
  } finally {
    await bundle.close()
  }
}

/** `style.css` and its content as `style-0a1b2c3d.css`. @param {string} name @param {string | Buffer} content */
function hashedName(name, content) {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 10)
  return basename(name).replace(/\.(\w+)$/, `-${hash}.$1`)
}

const stamp = join(output, '.built')
const wanted = fingerprint()
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) await build()

async function build() {
  /** @type {[string, string | Buffer][]} */
  const parts = assets.map((name) => [name, readFileSync(pathOf(name))])
  parts.push(['main.js', await script()])
  const names = new Map(parts.map(([name, content]) => [name, hashedName(name, content)]))
  const html = readFileSync(pathOf('index.html'), 'utf8').replaceAll(/\{\{([\w./-]+)\}\}/g, (_, name) => {
    const hashed = names.get(name)
    if (!hashed) throw new Error(`index.html names ${name}, which is no part of the page`)
    return `${base}/${hashed}`
  })
  // Whole or not at all: a service may be reading it.
  const temporary = `${output}.${process.pid}.tmp`
  mkdirSync(temporary, { recursive: true })
  for (const [name, content] of parts) writeFileSync(join(temporary, /** @type {string} */ (names.get(name))), content)
  writeFileSync(join(temporary, 'index.html'), html)
  writeFileSync(join(temporary, '.built'), wanted)
  rmSync(output, { recursive: true, force: true })
  renameSync(temporary, output)
}
