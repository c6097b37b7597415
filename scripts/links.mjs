// Fails when a link of a Markdown page leads to no file or heading, or docs/README.md lists not every page beside it.
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { projectFiles } from './files.mjs'
import { root, say } from './setup.mjs'

// What docs/templates holds is checked in the pages that are made of it.
const pages = projectFiles(/\.md$/).filter((page) => dirname(page) !== join(root, 'docs', 'templates'))
const problems = [...pages.flatMap(brokenLinks), ...unlisted(pages)]
for (const problem of problems) say(problem)
process.exitCode = problems.length > 0 ? 1 : 0

/** @param {string} page */
function brokenLinks(page) {
  const links = prose(page).matchAll(/\[[^\]]*\]\(([^()\s]+)\)|(?:src|href)="([^"]+)"/g)
  return [...links].flatMap(([, markdown, html]) => {
    const target = markdown ?? html ?? ''
    if (/^[a-z]+:/.test(target)) return []
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : resolve(dirname(page), decodeURIComponent(path))
    if (!existsSync(file)) return [`${relative(root, page)}: there is no ${path}`]
    if (!anchor || !file.endsWith('.md') || anchors(file).has(anchor)) return []
    return [`${relative(root, page)}: ${relative(root, file)} has no heading #${anchor}`]
  })
}

/** @param {string[]} all */
function unlisted(all) {
  const index = join(root, 'docs', 'README.md')
  const text = readFileSync(index, 'utf8')
  return all
    .filter((page) => dirname(page) === dirname(index) && page !== index && !text.includes(`(${basename(page)})`))
    .map((page) => `docs/README.md does not list ${basename(page)}`)
}

/** Anchors of a page's headings, by GitHub's rule. @param {string} page */
function anchors(page) {
  const headings = [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase())
  return new Set(headings.map((heading) => heading.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')))
}

/** A page's text without code blocks. @param {string} page */
function prose(page) {
  return readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '')
}
