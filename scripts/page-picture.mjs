// Takes docs/page.webp: the page of a running service with its answer to a drawn flower, in Chromium.
//   npm start &  node scripts/page-picture.mjs [number of the example, from 0]
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root, say } from './setup.mjs'

const service = process.env.SERVICE ?? 'http://localhost:3000'
const example = Number(process.argv[2] ?? 0)
const { chromium } = createRequire(join(root, 'tests/package.json'))('playwright-core')
const sharp = createRequire(join(root, 'packages/serve/package.json'))('sharp')

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
})
try {
  const page = await browser.newPage({ viewport: { width: 1120, height: 800 }, deviceScaleFactor: 1.25 })
  await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'light' })
  await page.goto(service)
  await page.locator('#examples button').nth(example).click()
  await page.locator('main[data-state="answered"]').waitFor()
  // A model that cannot show where it looked is shown without.
  await page
    .locator('#looked')
    .waitFor({ timeout: 10_000 })
    .catch(() => say('The model has no class maps'))
  await page.mouse.move(0, 0)
  await page.evaluate(() => /** @type {any} */ (globalThis).document.activeElement.blur())
  const { size } = await sharp(await page.screenshot({ fullPage: true }))
    .webp({ quality: 84, effort: 6 })
    .toFile(join(root, 'docs', 'page.webp'))
  say(`Wrote docs/page.webp: ${size} bytes`)
} finally {
  await browser.close()
}
