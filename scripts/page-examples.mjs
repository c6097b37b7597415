// Draws the example pictures of the page: packages/page/examples.
//   npm run build && node scripts/page-examples.mjs
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, say } from './setup.mjs'

const { drawFlower, drawScene } = await import(
  pathToFileURL(join(root, 'packages/trainer/dist/drawn/drawn-flowers.js')).href
)
const sharp = createRequire(join(root, 'packages/trainer/package.json'))('sharp')
const size = 384

/** Species and the number of its drawing. @type {Record<string, number>} */
const flowers = { daisy: 3, sunflower: 7, 'water-lily': 7, hibiscus: 3, daffodil: 5 }

/** @param {string} name @param {Promise<Buffer>} drawing */
async function write(name, drawing) {
  const { size: bytes } = await sharp(await drawing)
    .webp({ quality: 72, effort: 6 })
    .toFile(join(root, 'packages', 'page', 'examples', `${name}.webp`))
  say(`${name}: ${bytes} bytes`)
}

for (const [species, index] of Object.entries(flowers))
  await write(species, drawFlower({ species, size, seed: 1, index }))
await write('cat', drawScene(3, { size, scene: 'cat' }))
