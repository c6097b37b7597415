// Fails where code switches off a rule without a reason: `// oxlint-disable-next-line rule -- reason`.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { projectFiles } from './files.mjs'
import { root, say } from './setup.mjs'

const switchesOff = /\/[/*] *(?:(?:ox|es)lint-disable|@ts-(?:expect-error|ignore|nocheck))/
const reason = / -- \S/

for (const file of projectFiles(/\.[cm]?[jt]s$/)) {
  const lines = readFileSync(file, 'utf8').split('\n')
  for (const [index, line] of lines.entries()) {
    if (!switchesOff.test(line) || reason.test(line)) continue
    say(`${relative(root, file)}:${index + 1}: a rule is switched off without a reason after " -- "`)
    process.exitCode = 1
  }
}
