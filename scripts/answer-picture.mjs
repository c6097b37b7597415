// Draws docs/answer.svg: a drawn flower and what a running service answers for it.
//   npm start &  node scripts/answer-picture.mjs [species] [index]
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, say } from './setup.mjs'

const [species = 'sunflower', index = '3'] = process.argv.slice(2)
const service = process.env.SERVICE ?? 'http://localhost:3000'
const { drawFlower } = await import(pathToFileURL(join(root, 'packages/trainer/dist/drawn/drawn-flowers.js')).href)
const picture = await drawFlower({ species, size: 320, seed: 1, index: Number(index) })
const response = await fetch(`${service}/classify`, {
  method: 'POST',
  body: picture,
  headers: { 'content-type': 'image/jpeg' },
})
const answer = /** @type {any} */ (await response.json())
if (!response.ok) throw new Error(answer.detail)

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`
const [left, width, top, step] = [360, 300, 118, 44]
const bars = answer.predictions.map(
  (/** @type {{ label: string, score: number }} */ { label, score }, /** @type {number} */ row) => {
    const y = top + row * step
    return `<text x="${left}" y="${y}">${escaped(label)}</text>
<text x="${left + width + 60}" y="${y}" text-anchor="end">${percent(score)}</text>
<rect x="${left}" y="${y + 8}" width="${width + 60}" height="8" rx="4" fill="#d8dee4"/>
<rect x="${left}" y="${y + 8}" width="${Math.max(4, (width + 60) * score).toFixed(1)}" height="8" rx="4" fill="#b5338a"/>`
  },
)
const { model, views, timings, set, abstain } = answer
const facts = [
  `${model.name} ${model.version}: ${views.used} of ${views.of} views (${views.policy}), ${timings.total.toFixed(0)} ms`,
  abstain
    ? 'unlike any flower the model knows'
    : set.length > 0
      ? `one of ${set.length} classes with 95 % coverage`
      : '',
]
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 372" width="740" height="372" role="img" font-family="system-ui, sans-serif" font-size="16" fill="#1f2328">
<title>A drawn flower and the service's answer: ${escaped(answer.predictions[0].label)}, ${percent(answer.predictions[0].score)}</title>
<rect width="740" height="372" rx="12" fill="#f6f8fa"/>
<text x="20" y="34" font-family="ui-monospace, monospace" font-size="14" fill="#59636e">$ curl -F img=@flower.jpg http://localhost:3000/classify</text>
<image x="20" y="52" width="300" height="300" href="data:image/jpeg;base64,${picture.toString('base64')}"/>
<text x="${left}" y="74" font-size="13" fill="#59636e">${escaped(facts[0])}</text>
<text x="${left}" y="92" font-size="13" fill="#59636e">${escaped(facts[1])}</text>
${bars.join('\n')}
</svg>
`
writeFileSync(join(root, 'docs', 'answer.svg'), svg)
say(`Wrote docs/answer.svg: ${answer.predictions[0].label}`)
