// Installs, compiles and gathers one package with what it needs to run, without what it does not:
//   node deploy/image/app.mjs <package> <empty folder>
// The Dockerfiles run this, and so does whoever wants the same folder without Docker.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, Failure, installPackages, root } from '../../scripts/setup.mjs'

/** Read by compilers, test runners and people only. Licences have none of these endings. */
const notForRunning = /\.([cm]?ts|map|md|tsbuildinfo|test\.[cm]?js)$/

/** A folder of a package that holds one folder of binaries for each platform, and the one that this machine needs. */
const platformFolders = { 'onnxruntime-node/bin/napi-v6': [process.platform, process.arch] }

/** @param {string} name folder in packages/ @param {string} out */
export function gatherApp(name, out) {
  installPackages()
  if (!build(`packages/${name}`, `packages/${name}/package.json`))
    throw new Failure(`packages/${name} does not compile.`)
  if (name === 'serve') run(process.execPath, [join(root, 'packages', 'page', 'build.mjs')], 'The page cannot be built')
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  run('npx', ['--yes', packageManager, '--filter', `@flowers/${name}`, 'deploy', out, '--prod'], 'pnpm deploy failed')
  prune(out)
}

/** @param {string} program @param {string[]} args @param {string} failure */
function run(program, args, failure) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: ['ignore', process.stderr, process.stderr] })
  if (status !== 0) throw new Failure(`${failure}: the reason is above.`)
}

/** @param {string} folder */
function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isFile() && notForRunning.test(entry.name)) rmSync(path)
    if (!entry.isDirectory()) continue
    const platforms = Object.entries(platformFolders).find(([name]) => path.endsWith(name))
    if (platforms) keepOnly(path, platforms[1])
    else prune(path)
  }
}

/** Removes everything beside `path` in `folder`, level by level. @param {string} folder @param {string[]} path */
function keepOnly(folder, [first, ...rest]) {
  const names = readdirSync(folder)
  if (!names.includes(first)) throw new Failure(`${folder} has no ${first}: its binaries have moved.`)
  for (const name of names) if (name !== first) rmSync(join(folder, name), { recursive: true })
  if (rest.length > 0) keepOnly(join(folder, first), rest)
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [name, out] = process.argv.slice(2)
  if (!name || !out) throw new Failure('Usage: node deploy/image/app.mjs <package> <empty folder>')
  gatherApp(name, out)
}
