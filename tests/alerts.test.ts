import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { settings } from '@flowers/serve/config'
import { problems, startErrors } from '@flowers/serve/errors'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

// Alerts, the cases of promtool and the runbooks belong together: whoever is woken finds what to do.

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<string, string>>
}

interface Case {
  readonly alertname: string
  readonly exp_alerts: readonly unknown[]
}

const root = fileURLToPath(new URL('..', import.meta.url))
const tests = yamlFiles('deploy/prometheus/tests')
const cases = tests
  .flatMap((file) => (read(file) as { tests: { alert_rule_test?: Case[] }[] }).tests)
  .flatMap((test) => test.alert_rule_test ?? [])
const rules = yamlFiles('deploy/prometheus/rules')
  .flatMap((file) => (read(file) as { groups: { rules: (Partial<Alert> & { record?: string })[] }[] }).groups)
  .flatMap((group) => group.rules)
const alerts = rules.filter((rule): rule is Alert => rule.alert !== undefined)
const runbooks = readFileSync(`${root}docs/runbooks.md`, 'utf8')
const sections = new Map(
  runbooks
    .split(/^## /m)
    .slice(1)
    .map((section) => [/^.*/.exec(section)![0], section]),
)

function yamlFiles(folder: string): string[] {
  return readdirSync(`${root}${folder}`)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => `${folder}/${name}`)
}

function read(file: string): unknown {
  return parse(readFileSync(`${root}${file}`, 'utf8'))
}

const missing = spawnSync('promtool', ['--version']).error !== undefined
if (missing) console.log('skipped: there is no promtool (Debian: apt install prometheus)')

it.skipIf(missing).each(tests)('promtool finds every case of %s as it should be', (file) => {
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { cwd: root, encoding: 'utf8' })
  expect(status, `${stdout}${stderr}`).toBe(0)
})

describe.each(alerts.map((each) => [each.alert, each] as const))('%s', (name, { labels, annotations }) => {
  it('says how urgent it is, what happened and where to read on', () => {
    expect(labels.severity).toMatch(/^(page|ticket)$/)
    expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook_url', 'summary'])
    expect(annotations['runbook_url']).toBe(`docs/runbooks.md#${name.toLowerCase()}`)
  })

  it('has cases in which it fires and in which it does not', () => {
    const own = cases.filter(({ alertname }) => alertname === name)
    expect(own.filter((each) => each.exp_alerts.length > 0)).not.toEqual([])
    expect(own.filter((each) => each.exp_alerts.length === 0)).not.toEqual([])
  })

  it('has a runbook', () => {
    const section = sections.get(name)
    expect(section).toBeDefined()
    for (const part of ['For users', 'Look first', 'Causes', 'Do now', 'Over when'])
      expect(section).toContain(`**${part}`)
    expect(section).toContain(labels.severity)
  })
})

it('every runbook is of an alert', () => {
  const names = new Set(alerts.map(({ alert }) => alert))
  expect([...sections.keys()].filter((name) => !names.has(name))).toEqual([])
})

it('series, settings and codes of the runbooks and alerts are ones that there are', () => {
  const texts = [runbooks, ...alerts.map(({ expr }) => expr)].join('\n')
  const all = (pattern: RegExp): string[] => [...new Set(texts.match(pattern))]
  const recorded = new Set(rules.map(({ record }) => record))
  expect(all(/flowers:\w+:\w+/g).filter((name) => !recorded.has(name))).toEqual([])
  const variables = new Set<string>(Object.values(settings).map(({ variable }) => variable))
  expect(all(/\bFLOWERS_\w+/g).filter((name) => !variables.has(name))).toEqual([])
  expect(
    all(/(?<=`)(SERVICE|MODEL|IMAGE)_\w+(?=`)/g).filter((code) => !(code in problems || code in startErrors)),
  ).toEqual([])
})
