// The whole file system of the service's image: Node, an init, jemalloc, the libraries these load, the service, models.
//   node deploy/image/root.mjs <empty folder>
// There is no shell and no package manager in it. It is made of the machine's own files, so in the Dockerfile of Debian's.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure, root, say } from '../../scripts/setup.mjs'
import { gatherApp } from './app.mjs'

/** Debian's packages `tini` and `libjemalloc2`. */
const system = { init: '/usr/bin/tini-static', jemalloc: findLibrary('libjemalloc.so.2') }

const [target, node = process.execPath] = process.argv.slice(2)
if (!target) throw new Failure('Usage: node deploy/image/root.mjs <empty folder> [binary of Node]')
const out = resolve(target)
const at = (/** @type {string} */ path) => join(out, path)

for (const [what, path] of Object.entries(system)) {
  if (!path || !existsSync(path)) throw new Failure(`No ${what}: apt-get install tini libjemalloc2`)
}
mkdirSync(out, { recursive: true })
gatherApp('serve', at('app'))
copyFileSync(join(root, 'deploy/image/health.mjs'), at('app/health.mjs'))
// Not what this machine measured: the image is the same wherever it is made.
const isOfImage = (/** @type {string} */ path) => basename(path) !== 'batches.json'
cpSync(join(root, 'models'), at('models'), { recursive: true, filter: isOfImage })
copy(node, '/usr/local/bin/node')
copy(system.init, '/usr/bin/tini-static')
// One path on every processor, for LD_PRELOAD.
copy(/** @type {string} */ (system.jemalloc), '/usr/lib/libjemalloc.so.2')
for (const binary of [node, system.jemalloc, ...binariesIn(at('app'))]) {
  for (const library of librariesOf(/** @type {string} */ (binary))) copy(library, library)
}
for (const folder of ['tmp', 'proc', 'dev', 'etc']) mkdirSync(at(folder))
writeFileSync(at('etc/passwd'), 'flowers:x:10001:10001::/:/sbin/nologin\n')
writeFileSync(at('etc/group'), 'flowers:x:10001:\n')
for (const part of ['usr/local/bin', 'app', 'models', 'lib', 'lib64', 'usr/lib', 'usr/bin']) {
  if (existsSync(at(part))) say(`${part.padEnd(14)} ${megabytes(sizeOf(at(part)))}`)
}
say(`${'all'.padEnd(14)} ${megabytes(sizeOf(out))}`)

/** @param {string} from @param {string} to path in the image */
function copy(from, to) {
  if (existsSync(at(to))) return
  mkdirSync(dirname(at(to)), { recursive: true })
  copyFileSync(from, at(to))
}

/** @param {string} folder @returns {string[]} what the loader opens */
function binariesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return binariesIn(path)
    return entry.isFile() && /\.node$|\.so(\.\d+)*$/.test(entry.name) ? [path] : []
  })
}

/** Libraries of the system that a binary loads. @param {string} binary @returns {string[]} */
function librariesOf(binary) {
  const { stdout, status } = spawnSync('ldd', [binary], { encoding: 'utf8' })
  if (status !== 0) throw new Failure(`ldd ${binary} failed`)
  const missing = /(\S+) => not found/.exec(stdout)
  if (missing) throw new Failure(`${binary} needs ${missing[1]}, which is not there`)
  const paths = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1])
  return paths.filter((path) => !path.startsWith(out))
}

/** @param {string} name @returns {string | undefined} */
function findLibrary(name) {
  const { stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' })
  return new RegExp(`${name.replaceAll('.', '\\.')} .* => (\\S+)`).exec(stdout ?? '')?.[1]
}

/** @param {string} path @returns {number} bytes */
function sizeOf(path) {
  const entry = statSync(path, { throwIfNoEntry: false })
  if (!entry?.isDirectory()) return entry?.size ?? 0
  return readdirSync(path, { withFileTypes: true }).reduce(
    (sum, each) => sum + (each.isSymbolicLink() ? 0 : sizeOf(join(path, each.name))),
    0,
  )
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1).padStart(6)} MB`
}
