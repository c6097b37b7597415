// What the project is made of.
//   node scripts/supply-chain.mjs                licences and known advisories of every package
//   node scripts/supply-chain.mjs sbom [folder]  bills of material (CycloneDX) of npm's and Python's packages
// Advisories that are accepted stand in pnpm-workspace.yaml, each with its reason. What the network keeps from being
// checked is said in a line and does not fail.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { checkTools } from './check-tools.mjs'
import { Failure, root, say } from './setup.mjs'

/** Licences that packages may have, and why those that ask for more than their own text do no harm. */
const licences = {
  MIT: '',
  'Apache-2.0': '',
  ISC: '',
  '0BSD': '',
  'BSD-2-Clause': '',
  'BSD-3-Clause': '',
  'Python-2.0': '',
  'CC0-1.0': '',
  Unlicense: '',
  'LGPL-3.0-or-later': 'libvips: a library of its own that sharp loads, which anyone may replace',
  'MPL-2.0': 'lightningcss: of the test runner only; nothing of it is shipped',
}

const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** @param {string[]} args */
function pnpm(...args) {
  return spawnSync('npx', ['--yes', packageManager, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64e6,
    // A registry that is away is asked again and again; two minutes are enough.
    timeout: 120_000,
  })
}

/** @returns {boolean} whether every package has a licence of the list */
function checkLicences() {
  const { status, stdout, stderr } = pnpm('--recursive', 'licenses', 'list', '--json')
  if (status !== 0) throw new Failure(stderr)
  /** @type {Record<string, { name: string }[]>} */
  const found = JSON.parse(stdout)
  const unknown = Object.entries(found).filter(([expression]) => !isAllowed(expression))
  for (const [expression, packages] of unknown)
    say(
      `Licence ${expression} is not in the list of scripts/supply-chain.mjs: ${packages.map(({ name }) => name).join(', ')}`,
    )
  if (unknown.length === 0) say(`${Object.values(found).flat().length} packages, ${Object.keys(found).length} licences`)
  return unknown.length === 0
}

/** An SPDX expression of one level: of licences joined by OR one is allowed, by AND all. @param {string} expression */
function isAllowed(expression) {
  const names = expression.replace(/^\(|\)$/g, '').split(/ (?:AND|OR) /)
  return / OR /.test(expression) ? names.some((name) => name in licences) : names.every((name) => name in licences)
}

/** @returns {boolean} whether no package has an advisory that is not accepted with a reason */
function checkAdvisories() {
  const text = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const accepted = parseDocument(text).toJS().auditConfig?.ignoreGhsas ?? []
  const silent = accepted.filter((/** @type {string} */ id) => !new RegExp(`${id} +# +\\S`).test(text))
  for (const id of silent) say(`pnpm-workspace.yaml accepts ${id} without a reason behind it`)
  const { status, stdout } = pnpm('audit', '--audit-level', 'moderate', '--ignore-registry-errors')
  // Those below the level are listed, and end with 0.
  const listed = /^\d+ vulnerabilities found/m.test(stdout)
  const found = listed && status !== 0
  if (listed || /no known vulnerabilities|ignored/i.test(stdout)) say(stdout.trimEnd())
  else say('Not checked: advisories, as the registry does not answer')
  return !found && silent.length === 0
}

/** @param {string} folder */
function writeBills(folder) {
  mkdirSync(folder, { recursive: true })
  const npm = join(folder, 'npm.cdx.json')
  const options = '--sbom-format cyclonedx --sbom-type application --prod --out'
  const { status, stderr } = pnpm('sbom', ...options.split(' '), npm)
  if (status !== 0) throw new Failure(stderr)
  say(`Wrote ${npm}`)
  const tools = checkTools()
  for (const lock of tools ? ['requirements', 'requirements-gpu'] : []) {
    const args = [
      'requirements',
      join(root, 'packages', 'tensorflow', 'python', `${lock}.lock`),
      '--output-reproducible',
    ]
    const made = spawnSync(join(/** @type {string} */ (tools), 'cyclonedx-py'), args, {
      encoding: 'utf8',
      maxBuffer: 64e6,
    })
    if (made.status !== 0) throw new Failure(made.stderr)
    const path = join(folder, `python-${lock}.cdx.json`)
    writeFileSync(path, made.stdout)
    say(`Wrote ${path}`)
  }
}

const [command, folder = join(root, '.cache', 'sbom')] = process.argv.slice(2)
if (command === 'sbom') writeBills(resolve(folder))
// Both, also after one has failed.
else if (![checkLicences(), checkAdvisories()].every(Boolean)) process.exitCode = 1
