// The pages of docs/ that are made from code.
//   node scripts/docs.mjs --write   writes them
//   node scripts/docs.mjs --check   fails when one is not what the code says
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { dashboardsPage } from './dashboards-page.mjs'
import { imagesPage } from './images-page.mjs'
import { metricsPage } from './metrics-page.mjs'
import { recipesPage } from './recipes-page.mjs'
import { reliabilityPage } from './reliability-page.mjs'
import { scalingPage } from './scaling-page.mjs'
import { root, say } from './setup.mjs'
import { fill, load, table } from './template.mjs'

/** Page, and how it is made from the built packages. @type {Record<string, () => string | Promise<string>>} */
const pages = {
  'docs/errors.md': errorsPage,
  'docs/configuration.md': configurationPage,
  'docs/commands.md': commandsPage,
  'docs/recipes.md': recipesPage,
  'docs/openapi.json': openApiDocument,
  'packages/client/src/openapi.ts': clientTypes,
  'docs/images.md': imagesPage,
  'docs/scaling.md': scalingPage,
  'docs/metrics.md': describeMetrics,
  'docs/dashboards.md': describeDashboards,
  'docs/reliability.md': reliabilityPage,
  'deploy/kubernetes/overlays/prometheus-operator/prometheus-rule.yaml': prometheusRule,
}

async function errorsPage() {
  const { problems, startErrors } = await load('packages/serve/dist/errors.js')
  const { sharedErrors } = await load('packages/shared/dist/errors.js')
  const { tensorflowErrors } = await load('packages/tensorflow/dist/errors.js')
  const { trainerErrors } = await load('packages/trainer/dist/errors.js')
  /** @param {string} title @param {Record<string, any>} errors @param {'status' | 'exit'} column */
  const section = (title, errors, column) => [
    `## ${title}`,
    '',
    ...table(
      ['code', 'what', 'what to do', column === 'status' ? 'HTTP' : 'exit'],
      Object.entries(errors).map(([code, entry]) => [`\`${code}\``, entry.title, entry.remedy, entry[column] ?? 1]),
    ),
    '',
  ]
  const sections = [
    ...section('Answers of the service', problems, 'status'),
    ...section('Start of the service', startErrors, 'exit'),
    ...section('Commands', { ...trainerErrors, ...sharedErrors }, 'exit'),
    ...section('TensorFlow', tensorflowErrors, 'exit'),
  ]
  return fill('errors', "each package's src/errors.ts", { sections })
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
  return fill('configuration', 'packages/serve/src/config.ts', {
    settings: table(['variable', 'flag', 'default', 'value', 'what'], rows),
  })
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
  return metricsPage(registry, panelQueries())
}

async function describeDashboards() {
  const { dashboards, panelQueries } = await load('packages/dashboards/dist/index.js')
  return dashboardsPage(dashboards(), panelQueries())
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
  return fill('commands', 'packages/trainer/src/cli', { commands: describe(buildProgram(), []) })
}

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
