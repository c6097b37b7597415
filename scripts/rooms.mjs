// Holds the imports of every source file against the rooms of ARCHITECTURE.md: node scripts/rooms.mjs
// A room is a folder of a package's src, or a file beside them. `import type` counts. Not linted by oxlint's
// no-restricted-imports: that sees one import at a time, no circle through several rooms.
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { projectFiles } from './files.mjs'
import { root, say } from './setup.mjs'

/** The rooms that each may import besides itself and the errors of its package; a package name stands for all of its rooms. @type {Record<string, string>} */
const allowed = {
  'shared/*': '',
  'shared/html': 'shared/printable',
  'shared/markdown': 'shared/printable',
  'shared/image': 'shared/errors shared/built-module shared/worker-pool',
  'shared/model': 'shared/errors shared/files shared/image',
  'tensorflow/*': '',
  'trainer/errors': 'shared',
  'trainer/python': 'shared tensorflow',
  'trainer/console': 'shared',
  'trainer/drawn': 'shared',
  'trainer/measure': 'shared',
  'trainer/model': 'shared tensorflow trainer/console trainer/python',
  'trainer/recipe': 'shared tensorflow trainer/console trainer/model',
  'trainer/optim': 'tensorflow trainer/measure trainer/recipe',
  'trainer/dataset': 'shared trainer/console trainer/measure',
  'trainer/input': 'shared tensorflow trainer/console trainer/recipe trainer/optim trainer/dataset',
  'trainer/run': 'shared tensorflow trainer/console trainer/model trainer/recipe trainer/dataset',
  'trainer/evaluate': 'shared trainer/console trainer/drawn trainer/measure trainer/dataset trainer/input',
  'trainer/train':
    'shared tensorflow trainer/console trainer/measure trainer/model trainer/recipe trainer/optim trainer/dataset trainer/input trainer/evaluate trainer/run',
  'trainer/export':
    'shared tensorflow trainer/console trainer/python trainer/measure trainer/model trainer/recipe trainer/optim trainer/dataset trainer/run trainer/evaluate',
  'trainer/labels': 'shared trainer/console trainer/measure trainer/recipe trainer/dataset trainer/train',
  'trainer/report':
    'shared tensorflow trainer/console trainer/measure trainer/recipe trainer/dataset trainer/run trainer/train trainer/labels',
  'trainer/plan':
    'shared tensorflow trainer/console trainer/measure trainer/model trainer/recipe trainer/optim trainer/dataset trainer/input trainer/run trainer/train trainer/evaluate',
  'trainer/cli': 'shared tensorflow trainer',
  'serve/config': 'shared',
  'serve/errors': 'shared',
  'serve/welcome': '',
  'serve/observe': 'shared',
  'serve/engine': 'shared serve/config serve/observe',
  'serve/http': 'shared serve/config serve/observe serve/engine',
  'serve/routes': 'shared serve/config serve/observe serve/engine serve/http',
  'serve/open-inference': 'shared serve/config serve/observe serve/engine serve/http',
  'serve/app': 'shared serve',
  'serve/main': 'shared serve',
  'client/*': '',
  'page/*': 'client shared',
  'dashboards/*': '',
}

const sources = projectFiles(/\.ts$/, join(root, 'packages'))
  .map((path) => relative(root, path))
  .filter((file) => /^packages\/[^/]+\/src\//.test(file) && !/\.test\.ts$|\/testing\//.test(file))
const imports = new Map(sources.map((file) => [file, importsOf(file)]))
const problems = [...circles(), ...strangers()]
for (const problem of problems) say(problem)
process.exitCode = problems.length > 0 ? 1 : 0

/** @param {string} file @returns {string[]} */
function importsOf(file) {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].flatMap(([, specifier = '']) => {
    const [, name, path] = /^@flowers\/([\w-]+)(?:\/(.+))?$/.exec(specifier) ?? []
    const target = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier))
      : name && `packages/${name}/src/${path ?? 'index'}.ts`
    return target?.startsWith('packages/') ? [target] : []
  })
}

/** @param {string} file */
function roomOf(file) {
  const [, name, place = ''] = /^packages\/([^/]+)\/src\/([^/]+)/.exec(file) ?? []
  return `${name}/${place.replace(/\.ts$/, '')}`
}

/** Imports that their room may not have. */
function strangers() {
  return [...imports].flatMap(([file, targets]) => {
    const room = roomOf(file)
    const others = allowed[room] ?? allowed[room.replace(/\/.*/, '/*')]
    if (others === undefined) return [`${file}: the room ${room} is not in scripts/rooms.mjs`]
    const open = new Set([room, `${room.split('/')[0]}/errors`, ...others.split(' ')])
    if (allowed[room] === undefined) open.add(room.split('/')[0] ?? '')
    return targets
      .map((target) => ({ target, to: roomOf(target) }))
      .filter(({ to }) => !open.has(to) && !open.has(to.split('/')[0] ?? ''))
      .map(({ target, to }) => `${file} imports ${target}: ${room} may not know ${to}`)
  })
}

/** Circles of files: a depth-first walk that meets a file it has not left yet. */
function circles() {
  /** @type {Map<string, 'open' | 'done'>} */
  const state = new Map()
  /** @type {string[]} */
  const found = []
  /** @param {string} file @param {readonly string[]} path */
  const visit = (file, path) => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      found.push(`a circle of imports: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`)
      return
    }
    state.set(file, 'open')
    for (const target of imports.get(file) ?? []) visit(target, [...path, file])
    state.set(file, 'done')
  }
  for (const file of sources) visit(file, [])
  return found
}
