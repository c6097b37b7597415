// Reads everything in deploy/ with the tools that will: node scripts/deploy-check.mjs
// hadolint, the Compose and Kubernetes schemas come from deploy/check/requirements.lock; kubectl (or kustomize) and promtool
// are used where they are, go for the definitions of custom resources. What cannot be checked here is said in a line and does not fail.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Ajv } from 'ajv'
import { parseAllDocuments } from 'yaml'
import { checkTools } from './check-tools.mjs'
import { customSchemas } from './custom-schemas.mjs'
import { projectFiles } from './files.mjs'
import { Failure, root, say } from './setup.mjs'

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
  if (kustomize) {
    const schemas = customSchemas()
    for (const folder of kustomizations) checkManifests(must(...kustomize, folder), folder, tools, schemas)
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error
  failed = true
  say(error.message)
} finally {
  rmSync(scratch, { recursive: true })
}
process.exitCode = failed ? 1 : 0

/**
 * @param {string} text manifests @param {string} folder @param {string | undefined} tools
 * @param {Map<string, any>} schemas of custom resources
 */
function checkManifests(text, folder, tools, schemas) {
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
  for (const document of all.filter((each) => !ofKubernetes.includes(each))) {
    const name = `${document.kind} of ${relative(root, folder)}`
    const schema = schemas.get(`${document.apiVersion} ${document.kind}`)
    if (!schema) {
      say(`Not checked: ${name}, as there is no CustomResourceDefinition of it`)
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
