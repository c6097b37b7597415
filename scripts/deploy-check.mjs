// Reads everything in deploy/ with the tools that will: node scripts/deploy-check.mjs
// hadolint, the Compose and Kubernetes schemas come from deploy/check/requirements.lock; kubectl (or kustomize) and promtool
// are used where they are. What cannot be checked here is said in a line and does not fail.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Ajv } from 'ajv'
import { parseAllDocuments } from 'yaml'
import { checkTools } from './check-tools.mjs'
import { projectFiles } from './files.mjs'
import { root, say } from './setup.mjs'

/** Of the cluster; its API is what the manifests are held against. */
const kubernetes = '1.34'

const deploy = join(root, 'deploy')
const kustomizations = projectFiles(/^kustomization\.yaml$/, deploy).map((path) => join(path, '..'))
const scratch = mkdtempSync(join(tmpdir(), 'flowers-deploy-'))
let failed = false
try {
  const tools = checkTools()
  if (tools) {
    for (const file of projectFiles(/\.Dockerfile$/, deploy)) must(join(tools, 'hadolint'), file)
    must(join(tools, 'python'), join(deploy, 'check', 'compose.py'), join(deploy, 'compose.yaml'))
  }
  if (has('promtool')) must('promtool', 'check', 'config', join(deploy, 'prometheus', 'prometheus.yml'))
  else say('Not checked: deploy/prometheus, as there is no promtool (Debian: apt install prometheus)')
  const kustomize = has('kustomize') ? ['kustomize', 'build'] : has('kubectl') ? ['kubectl', 'kustomize'] : undefined
  if (!kustomize) say('Not checked: deploy/kubernetes, as there is neither kubectl nor kustomize')
  if (kustomize) for (const folder of kustomizations) checkManifests(must(...kustomize, folder), folder, tools)
} finally {
  rmSync(scratch, { recursive: true })
}
process.exitCode = failed ? 1 : 0

/** @param {string} text manifests @param {string} folder @param {string | undefined} tools */
function checkManifests(text, folder, tools) {
  const all = parseAllDocuments(text).map((document) => document.toJS())
  // Its own groups have no domain (apps/v1) or k8s.io.
  const ofKubernetes = all.filter(
    ({ apiVersion }) => !/\./.test(apiVersion.split('/')[0]) || /\.k8s\.io\//.test(apiVersion),
  )
  if (tools) {
    // JSON is YAML.
    const file = join(scratch, 'manifests.yaml')
    writeFileSync(file, ofKubernetes.map((document) => JSON.stringify(document)).join('\n---\n'))
    must(join(tools, 'kubernetes-validate'), '--strict', '--quiet', '-k', kubernetes, file)
  }
  const schemas = customSchemas()
  for (const document of all.filter((each) => !ofKubernetes.includes(each))) {
    const name = `${document.kind} of ${relative(root, folder)}`
    const schema = schemas?.get(`${document.apiVersion} ${document.kind}`)
    if (!schema) {
      say(`Not checked: ${name}, as FLOWERS_CRDS names no folder with its CustomResourceDefinition`)
      continue
    }
    const code = { regExp: goPattern }
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false, code }).compile(schema)
    if (validate(document)) continue
    failed = true
    for (const error of validate.errors ?? [])
      say(`${name}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`)
  }
}

/** Patterns are Go's: a leading (?i) is its flag i. @param {string} source @param {string} flags */
function goPattern(source, flags) {
  return new RegExp(source.replace('(?i)', ''), source.includes('(?i)') ? `${flags}i` : flags)
}
goPattern.code = 'new RegExp'

/** Schemas by `<apiVersion> <kind>` of the definitions (kubectl get crd -o yaml) in the folder FLOWERS_CRDS. */
function customSchemas() {
  const folder = process.env['FLOWERS_CRDS']
  if (!folder) return undefined
  const files = readdirSync(folder).map((name) => join(folder, name))
  const definitions = files
    .filter((file) => /\.ya?ml$/.test(file) && statSync(file).isFile())
    .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS()))
    .flatMap((document) => document?.items ?? [document])
    .filter((document) => document?.kind === 'CustomResourceDefinition')
  return new Map(
    definitions.flatMap(({ spec }) =>
      spec.versions.map((/** @type {any} */ version) => {
        const schema = closed(version.schema.openAPIV3Schema)
        // Described by Kubernetes, not by the definition.
        schema.properties.metadata = {}
        return [`${spec.group}/${version.name} ${spec.names.kind}`, schema]
      }),
    ),
  )
}

/** A schema that refuses what it does not know; an API server would drop it silently. @param {any} schema @returns {any} */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  const open = copy['x-kubernetes-preserve-unknown-fields'] || copy.additionalProperties !== undefined
  return copy.type === 'object' && copy.properties && !open ? { ...copy, additionalProperties: false } : copy
}

/** Runs a tool to its end; its output is shown where it fails. @param {...string} command @returns {string} stdout */
function must(...command) {
  const [program = '', ...args] = command
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64e6 })
  if (status === 0) return stdout
  failed = true
  say(`${command.map((part) => relative(root, part) || part).join(' ')}\n${stdout}${stderr}`)
  return ''
}

/** @param {string} program */
function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0
}
