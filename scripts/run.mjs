// The commands of package.json: node scripts/run.mjs <command> [arguments]
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, Failure, installPackages, root, say } from './setup.mjs'
import { dropCopiedSignals } from './signals.mjs'

/** @type {Record<string, { about: string, run: (args: string[]) => Promise<number | void> }>} */
const commands = {
  start: { about: 'serve the model in models/ (arguments go to the service; --help lists them)', run: start },
  test: {
    about: 'tests of up to 10 minutes (arguments go to vitest: paths, -t name)',
    run: (args) => test(args, false),
  },
  'test:full': { about: 'the long tests: *.full.test.ts', run: (args) => test(args, true) },
  'test:node': { about: 'trainer and service under every supported major of Node', run: testNode },
  check: { about: 'format, lint, types, unused code, documentation (or only those named)', run: check },
  build: { about: 'compile every package', run: buildAll },
  docs: { about: 'write the generated pages of docs/', run: docs },
  sbom: { about: 'write bills of material (CycloneDX) to .cache/sbom or the folder named', run: sbom },
  format: { about: 'format every file', run: format },
}

/** Runs the service in this process, so that signals and the exit code are its own. @param {string[]} args */
async function start(args) {
  installPackages()
  build('packages/serve', 'packages/serve/dist/main.js')
  await buildPage()
  const main = join(root, 'packages', 'serve', 'dist', 'main.js')
  process.chdir(root)
  dropCopiedSignals()
  process.argv = [process.execPath, main, ...args]
  await import(pathToFileURL(main).href)
}

/** @param {string[]} args @param {boolean} full */
async function test(args, full) {
  await buildAll()
  const { ensurePythonEnvironment } = await import(
    pathToFileURL(join(root, 'packages', 'tensorflow', 'dist', 'python.js')).href
  )
  await ensurePythonEnvironment({ log: say })
  say(full ? 'Running the long tests' : 'Running the tests')
  return node('node_modules/vitest/vitest.mjs', 'run', ...args, { FLOWERS_FULL: full ? '1' : '' })
}

/** @param {string[]} majors */
async function testNode(majors) {
  await buildAll()
  return node('scripts/node-versions.mjs', ...majors)
}

async function buildAll() {
  installPackages()
  const compiled = build('.', 'packages/trainer/dist/cli/main.js')
  await buildPage()
  return compiled ? 0 : 1
}

/** Builds what the service shows in a browser, unless it is of the same sources. */
async function buildPage() {
  await import(pathToFileURL(join(root, 'packages', 'page', 'build.mjs')).href)
}

async function docs() {
  await buildAll()
  return node('scripts/docs.mjs', '--write')
}

/** @param {string[]} args */
async function sbom(args) {
  installPackages()
  return node('scripts/supply-chain.mjs', 'sbom', ...args)
}

async function format() {
  installPackages()
  return node('node_modules/oxfmt/bin/oxfmt')
}

/** Runs every check, also after one has failed. @param {string[]} only */
async function check(only) {
  const checks = {
    format: () => node('node_modules/oxfmt/bin/oxfmt', '--check'),
    types: () => node('node_modules/typescript/bin/tsc', '-b'),
    lint: () => node('node_modules/oxlint/bin/oxlint'),
    rooms: () => node('scripts/rooms.mjs'),
    unused: () => node('node_modules/knip/bin/knip.js', '--no-progress'),
    suppressions: () => node('scripts/suppressions.mjs'),
    docs: () => node('scripts/docs.mjs', '--check'),
    links: () => node('scripts/links.mjs'),
    deploy: () => node('scripts/deploy-check.mjs'),
    supply: () => node('scripts/supply-chain.mjs'),
  }
  const unknown = only.filter((name) => !(name in checks))
  if (unknown.length > 0) throw new Failure(`No check "${unknown[0]}": there are ${Object.keys(checks).join(', ')}.`, 2)
  installPackages()
  const failed = []
  for (const [name, run] of Object.entries(checks)) {
    if (only.length > 0 && !only.includes(name)) continue
    say(`\nCheck: ${name}`)
    if ((await run()) !== 0) failed.push(name)
  }
  say(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

/**
 * Runs a script to its end and resolves with its exit code. A signal that this process alone receives is passed on.
 * @param {string} script path from the root
 * @param {...(string | Record<string, string>)} rest arguments, then variables to set
 * @returns {Promise<number>}
 */
function node(script, ...rest) {
  const args = rest.filter((value) => typeof value === 'string')
  const variables = rest.find((value) => typeof value === 'object')
  const child = spawn(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...variables },
  })
  // Ctrl-C reaches the child from the terminal, a signal to this process alone does not: the child decides, this waits.
  let stopped = 0
  const onInterrupt = () => (stopped = 130)
  const onTerminate = () => {
    stopped = 143
    child.kill('SIGTERM')
  }
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate)
      if (stopped) reject(new Failure('Stopped', stopped))
      else resolve(code ?? 1)
    })
  })
}

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]
try {
  if (!command) {
    const lines = Object.entries(commands).map(([each, { about }]) => `  npm run ${each.padEnd(10)} ${about}`)
    throw new Failure(`Usage: npm run <command> [-- arguments]\n${lines.join('\n')}`, 2)
  }
  const code = await command.run(args)
  if (code) process.exitCode = code
} catch (error) {
  process.exitCode = error.exitCode ?? error.entry?.exit ?? 1
  // An error of the catalogue says what to do; a failure is a sentence; the rest is a defect and shows its stack.
  if (error.entry) say(`${error.entry.title} (${error.code}): ${error.message}\n${error.entry.remedy}`)
  else say(error instanceof Failure ? error.message : error.stack)
}
