import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { Failure, root, say } from './setup.mjs'

/** Files with definitions, by the module of deploy/check/crds/go.mod that has them. @type {Record<string, string[]>} */
const published = {
  'github.com/kserve/kserve': ['config/crd/full/serving.kserve.io_inferenceservices.yaml'],
  'github.com/prometheus-operator/prometheus-operator': ['prometheusrules', 'servicemonitors'].map(
    (name) => `example/prometheus-operator-crd/monitoring.coreos.com_${name}.yaml`,
  ),
}

/**
 * Schemas of custom resources by `<apiVersion> <kind>`, which refuse unknown fields: of the definitions in the folder
 * FLOWERS_CRDS (kubectl get crd -o yaml), or of those that are pinned in deploy/check/crds. Those that cannot be had are
 * named in a line. Throws a Failure where a module is not what is pinned.
 * @returns {Map<string, any>}
 */
export function customSchemas() {
  const folder = process.env['FLOWERS_CRDS']
  const files = folder ? readdirSync(folder).map((name) => join(folder, name)) : pinnedFiles()
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

/**
 * Files of the modules, which the go command keeps after the first call; it holds them against go.sum.
 * @returns {string[]}
 */
function pinnedFiles() {
  /** @type {{ Path: string, Version: string }[]} */
  const modules = go('edit', '-json')?.Require ?? []
  return modules.flatMap(({ Path, Version }) => {
    const module = go('download', '-json', `${Path}@${Version}`)
    if (module?.Dir) return (published[Path] ?? []).map((file) => join(module.Dir, file))
    say(`Not downloaded: ${Path} ${Version}, which has definitions of custom resources`)
    return []
  })
}

/**
 * What a command of `go mod` says in deploy/check/crds; undefined, with a line, where there is no go.
 * @param {...string} args @returns {any}
 */
function go(...args) {
  const { error, stdout, stderr } = spawnSync('go', ['mod', ...args], {
    cwd: join(root, 'deploy', 'check', 'crds'),
    encoding: 'utf8',
    env: { ...process.env, GOFLAGS: '', GOTOOLCHAIN: 'local', GOWORK: 'off' },
  })
  if (error) say('Without go (Debian: apt install golang-go), definitions of custom resources come from FLOWERS_CRDS')
  if (/checksum mismatch/.test(stdout + stderr)) throw new Failure(`${stdout}${stderr}`)
  return stdout ? JSON.parse(stdout) : undefined
}

/** A schema that refuses what it does not know; an API server would drop it silently. @param {any} schema @returns {any} */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  const open = copy['x-kubernetes-preserve-unknown-fields'] || copy.additionalProperties !== undefined
  return copy.type === 'object' && copy.properties && !open ? { ...copy, additionalProperties: false } : copy
}
