// The pages of docs/ that are made from code.
//   node scripts/docs.mjs --write   writes them
//   node scripts/docs.mjs --check   fails when one is not what the code says
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse, stringify } from 'yaml'
import { dashboardsPage } from './dashboards-page.mjs'
import { imagesPage } from './images-page.mjs'
import { metricsPage } from './metrics-page.mjs'
import { reliabilityPage } from './reliability-page.mjs'
import { scalingPage } from './scaling-page.mjs'
import { root, say } from './setup.mjs'

/** Page, and how it is made from the built packages. @type {Record<string, () => string | Promise<string>>} */
const pages = {
  'docs/errors.md': errorsPage,
  'docs/configuration.md': configurationPage,
  'docs/commands.md': commandsPage,
  'docs/recipes.md': recipesPage,
  'docs/openapi.json': openApiDocument,
  'packages/client/src/openapi.ts': clientTypes,
  'docs/images.md': () => imagesPage(table),
  'docs/scaling.md': () => scalingPage(table),
  'docs/metrics.md': describeMetrics,
  'docs/dashboards.md': describeDashboards,
  'docs/reliability.md': () => reliabilityPage(table),
  'deploy/kubernetes/overlays/prometheus-operator/prometheus-rule.yaml': prometheusRule,
}

const made = (/** @type {string} */ from) => `<!-- Made by \`npm run docs\` from ${from}. -->`

async function errorsPage() {
  const { catalogue } = await load('packages/shared/dist/errors.js')
  const sections = [...groupBy(Object.entries(catalogue), roomOf)].map(([room, entries]) => [
    `## ${room}`,
    '',
    ...table(
      ['code', 'what', 'what to do', 'HTTP', 'exit'],
      entries.map(([code, { title, remedy, status, exit }]) => [`\`${code}\``, title, remedy, status, exit]),
    ),
    '',
  ])
  return [
    made('packages/shared/src/errors.ts'),
    '',
    '# Errors',
    '',
    'Every failure has a code. The service answers with `application/problem+json` (RFC 9457) that holds the code and',
    'has the HTTP status below; a command prints the code, what happened and what to do, and ends with the exit code.',
    '',
    ...sections.flat(),
  ].join('\n')
}

async function configurationPage() {
  const { settings, flagOf } = await load('packages/serve/dist/config.js')
  const rows = Object.values(settings).map(({ variable, fallback, expected, about }) => [
    `\`${variable}\``,
    `\`--${flagOf(variable)}\``,
    fallback === null ? '' : `\`${fallback}\``,
    expected,
    about,
  ])
  return [
    made('packages/serve/src/config.ts'),
    '',
    '# Settings of the service',
    '',
    'Each is an environment variable or a flag (`npm start -- --port 4000`); the flag wins. A wrong value ends the start',
    'with a sentence and exit code 2.',
    '',
    ...table(['variable', 'flag', 'default', 'value', 'what'], rows),
    '',
  ].join('\n')
}

async function openApiDocument() {
  return `${JSON.stringify(await describeService(), null, 2)}\n`
}

async function clientTypes() {
  // Of the client alone, which has the version of the compiler that it needs.
  const fromClient = createRequire(join(root, 'packages', 'client', 'package.json'))
  const { default: openapiTS, astToString } = fromClient('openapi-typescript')
  return `// Made by \`npm run docs\` from packages/serve/src/http/schemas.ts.\n${astToString(await openapiTS(await describeService()))}`
}

/** The service without its models; close its application. */
async function openService() {
  const { buildApp } = await load('packages/serve/dist/app.js')
  const { readConfig } = await load('packages/serve/dist/config.js')
  const service = await buildApp(readConfig([], { FLOWERS_LOG_LEVEL: 'silent' }))
  await service.app.ready()
  return service
}

/** @returns {Promise<any>} the OpenAPI document of the service */
async function describeService() {
  const { app } = await openService()
  const document = app.openapi()
  await app.close()
  return document
}

async function describeMetrics() {
  const { panelQueries } = await load('packages/dashboards/dist/index.js')
  const { app, registry } = await openService()
  await app.close()
  return metricsPage(table, registry, panelQueries())
}

async function describeDashboards() {
  const { dashboards, panelQueries } = await load('packages/dashboards/dist/index.js')
  return dashboardsPage(table, dashboards(), panelQueries())
}

/** The rules of Prometheus' own files as the resource that the Prometheus Operator reads. */
async function prometheusRule() {
  const folder = join(root, 'deploy', 'prometheus', 'rules')
  const files = readdirSync(folder).filter((name) => name.endsWith('.yml'))
  const groups = files.sort().flatMap((name) => parse(readFileSync(join(folder, name), 'utf8')).groups)
  const resource = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'flowers' },
    spec: { groups },
  }
  return `# Made by \`npm run docs\` from deploy/prometheus/rules.\n${stringify(resource, { lineWidth: 0 })}`
}

async function commandsPage() {
  const { buildProgram } = await load('packages/trainer/dist/cli/program.js')
  /** @param {any} command commander's Command @param {string[]} path @returns {string[]} */
  const describe = (command, path) => {
    if (command.commands.length > 0)
      return command.commands.flatMap((/** @type {any} */ each) => describe(each, [...path, each.name()]))
    let text = ''
    command.configureHelp({ helpWidth: 100 })
    command.configureOutput({ writeOut: (/** @type {string} */ part) => (text += part) })
    command.outputHelp()
    return [`## ${path.join(' ')}`, '', '```text', text.trimEnd(), '```', '']
  }
  return [
    made('packages/trainer/src/cli'),
    '',
    '# Commands of the trainer',
    '',
    'With pnpm: `pnpm --filter trainer train --recipe quick`. With Node only:',
    '`node packages/trainer/bin/trainer.cjs train --recipe quick`. Paths are relative to the folder you stand in.',
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by the person (Ctrl-C), 143 stopped by the system (SIGTERM)',
    'with everything saved. `pnpm --filter` reports every failure as 1; the second form passes the code on.',
    '',
    ...describe(buildProgram(), []),
  ].join('\n')
}

async function recipesPage() {
  const { recipeJsonSchema } = await load('packages/trainer/dist/recipe/checks.js')
  const { recipes } = await load('packages/trainer/dist/recipe/recipes/index.js')
  const { ours } = await load('packages/trainer/dist/recipe/recipes/ours.js')
  const { recipeDefaults } = await load('packages/trainer/dist/recipe/defaults.js')
  const defaults = { name: undefined, model: recipes.report.model, ...recipeDefaults }
  const rows = settingsOf(recipeJsonSchema(), defaults).filter(({ path }) => !/^phases\.(head|fixres)\./.test(path))
  return [
    made('packages/trainer/src/recipe/schema.ts'),
    '',
    '# Recipes',
    '',
    'A recipe is everything a run depends on besides the photos. `train --recipe NAME` takes one of',
    `${Object.keys(recipes)
      .map((name) => `\`${name}\``)
      .join(', ')}; \`--recipe FILE.json\` any other, such as the \`recipe.json\` of a run.`,
    'A file may say only what it changes: `{ "name": "roses", "phases": { "full": { "epochs": 40 } } }`. All else has the',
    'defaults below; an object whose `kind` differs, and a list, is taken whole; an unknown field ends the command with a',
    'sentence. A file that is complete, as a run folder has it, is taken as it stands, with what a release before left out',
    'as it was then. `recipe.json` of a run leaves nothing out.',
    '`--set path=value` changes one setting; an unknown path or a wrong value ends the command with a sentence.',
    'Settings that contradict each other, in a phase that is run, end it too, before a photo is read: a warm-up longer than',
    'the phase, a rate of a frozen backbone, weights of another architecture. What merely never comes, such as an off epoch',
    'after the last, is no contradiction. Where `--set phases.full.epochs=3` leaves a recipe with a longer warm-up or more',
    'late epochs than that, they keep their share of the phase, and the command says so; what you set yourself stays.',
    'The phases `head`, `full` and `fixres` have the same settings; those of `full` stand for all. The defaults are the',
    "report's values before its last step; what its steps change is below.",
    '',
    'The recipe `quick` is planned before it is run: `--set minutes=20` (the default) is the time it may take, from looking',
    'at the photos to the end of training (`report.html` comes after), and a setting of `quick` alone. From the photos',
    'come sizes, batch, smoothing and sampling, from a few measured steps the epochs; the plan is printed, and `recipe.json`',
    'holds what came of it. `--set` on any other path has the last word. The shortest plan has 1 + 3 + 1 epochs, or as many',
    'as a warm-up that you set needs; where that takes longer than the minutes, the command says so and runs it.',
    '',
    ...table(
      ['setting', 'default', 'what'],
      rows.map(({ path, value, about }) => [
        `\`${path}\``,
        value === undefined ? '' : `\`${JSON.stringify(value)}\``,
        about,
      ]),
    ),
    '',
    '## The steps of the report',
    '',
    'What differs between the recipes `step1` to `step5`; `report` is `step5`. The report leaves some values open: those with',
    'an asterisk are ours.',
    '',
    ...stepsTable(recipes, ours),
    '',
  ].join('\n')
}

/**
 * A row for each setting that is not the same in all steps of the ladder.
 * @param {Record<string, any>} recipes @param {Record<string, readonly string[]>} ours
 */
function stepsTable(recipes, ours) {
  const names = Object.keys(ours)
  const leaves = names.map((name) => new Map(leavesOf(recipes[name])))
  const paths = [...new Set(leaves.flatMap((each) => [...each.keys()]))].filter((path) => path !== 'name')
  /** @param {string} path @param {number} step */
  const cell = (path, step) => {
    const value = leaves[step]?.get(path)
    if (value === undefined) return ''
    // A value is of the step that was the last to change it.
    let from = step
    while (from > 0 && leaves[from - 1]?.get(path) === value) from--
    const isOurs = (ours[names[from] ?? ''] ?? []).some((prefix) => path === prefix || path.startsWith(`${prefix}.`))
    const shown = path === 'views' ? JSON.parse(value).length : value
    return `\`${shown}\`${isOurs ? '\\*' : ''}`
  }
  const rows = paths
    .map((path) => [`\`${path}\``, ...names.map((_, step) => cell(path, step))])
    .filter((row) => new Set(row.slice(1)).size > 1)
  return table(['setting', ...names], rows)
}

/** Every value that is no object of settings, by its path, as JSON. @param {any} value @param {string} [path] @returns {[string, string][]} */
function leavesOf(value, path = '') {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[path, JSON.stringify(value)]]
  return Object.entries(value).flatMap(([key, each]) => leavesOf(each, path ? `${path}.${key}` : key))
}

/**
 * The settings of a JSON schema, one a path. @param {any} schema @param {any} value @param {string} [path]
 * @returns {{ path: string, value: unknown, about: string }[]}
 */
function settingsOf(schema, value, path = '') {
  const members = (schema.anyOf ?? schema.oneOf ?? [schema]).filter((/** @type {any} */ each) => each.type === 'object')
  const member = members.find((/** @type {any} */ each) =>
    Object.keys(value ?? {}).every((key) => key in each.properties),
  )
  const own = path && (schema.description || !member) ? [{ path, value, about: schema.description ?? '' }] : []
  if (!member || value === null || Array.isArray(value)) return own
  const below = Object.entries(member.properties).flatMap(([key, each]) =>
    settingsOf(each, value[key], path ? `${path}.${key}` : key),
  )
  return [...own.map((each) => ({ ...each, value: undefined })), ...below]
}

/** A code begins with its room; those without one are for everybody. @param {[string, unknown]} entry */
function roomOf([code]) {
  const [prefix, rest] = code.split('_', 2)
  if (rest === undefined) return 'General'
  return prefix === 'TENSORFLOW' ? 'TensorFlow' : prefix[0] + prefix.slice(1).toLowerCase()
}

/** @param {[string, any][]} values @param {(value: [string, any]) => string} key @returns {Map<string, [string, any][]>} */
function groupBy(values, key) {
  /** @type {Map<string, [string, any][]>} */
  const groups = new Map()
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value])
  return groups
}

/** A table with columns of even width, as the formatter writes it. @param {string[]} head @param {unknown[][]} rows */
function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => String(cell).replace(/[|<]/g, '\\$&')))
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)))
  const line = (/** @type {string[]} */ row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`
  return [line(cells[0]), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...cells.slice(1).map(line)]
}

/** @param {string} path built file, from the root */
const load = (path) => import(pathToFileURL(join(root, path)).href)

const dashboardsFolder = 'deploy/grafana/dashboards'
const { dashboards } = await load('packages/dashboards/dist/index.js')
for (const [name, dashboard] of Object.entries(dashboards())) {
  pages[`${dashboardsFolder}/${name}.json`] = () => `${JSON.stringify(dashboard, null, 2)}\n`
}
for (const name of readdirSync(join(root, dashboardsFolder))) {
  const path = `${dashboardsFolder}/${name}`
  if (path in pages) continue
  say(`${path} is made from nothing: delete it`)
  process.exitCode = 1
}

const write = process.argv.includes('--write')
for (const [path, make] of Object.entries(pages)) {
  const wanted = await make()
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) continue
  if (write) {
    writeFileSync(file, wanted)
    say(`Wrote ${path}`)
  } else {
    say(`${path} is not what the code says: run \`npm run docs\``)
    process.exitCode = 1
  }
}
