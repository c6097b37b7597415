import { existsSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { form, solid } from '@flowers/serve/testing/pictures'
import { startService, until, type RunningService } from '@flowers/serve/testing/service'
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const executablePath = [process.env['CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  existsSync,
)
if (!executablePath)
  console.warn('The page is not tested in a browser: there is no Chromium (apt-get install chromium).')

const patience = 60_000

/** Script for the page: what the browser does when a person pastes or drops a file. */
function bring(kind: 'paste' | 'drop', picture: Uint8Array): string {
  return `{
    const data = new DataTransfer()
    data.items.add(new File([Uint8Array.of(${picture.join()})], 'picture.png', { type: 'image/png' }))
    const options = { bubbles: true, cancelable: true }
    const event = ${
      kind === 'paste'
        ? "new ClipboardEvent('paste', { ...options, clipboardData: data })"
        : "new DragEvent('drop', { ...options, dataTransfer: data })"
    }
    document.body.dispatchEvent(event)
  }`
}

describe.skipIf(!executablePath)('the page', () => {
  let browser: Browser
  let service: RunningService
  let red: Buffer
  const opened: Page[] = []

  beforeAll(async () => {
    service = await startService({ FLOWERS_BODY_LIMIT_MB: '1' })
    browser = await chromium.launch({
      executablePath: executablePath!,
      // The sandbox of Chromium does not run for root.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    })
    red = await solid('#ff0000', 'png')
  })

  afterEach(async () => {
    for (const page of opened.splice(0)) await page.context().close()
  })

  afterAll(async () => {
    await browser.close()
    await service.close()
  })

  /** A page of its own browser profile. `faults` collects what its console complains about. */
  async function open(
    options: BrowserContextOptions = {},
    url = service.url,
  ): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(patience)
    const page = await context.newPage()
    const faults: string[] = []
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(error.message))
    opened.push(page)
    await page.goto(url)
    return { page, faults }
  }

  const upload = (page: Page, picture: Buffer, name = 'picture.png'): Promise<void> =>
    page.locator('#file').setInputFiles({ name, mimeType: 'image/png', buffer: picture })

  /** The model that refuses pictures by the output `known`, in place of the default. */
  const askWary = (page: Page): Promise<void> =>
    page.route('**/classify*', (route) => {
      const url = new URL(route.request().url())
      url.searchParams.set('model', 'wary')
      return route.continue({ url: url.href })
    })

  const heading = (page: Page): Locator => page.locator('#answer h2')

  async function expectHeading(page: Page, text: string): Promise<void> {
    await heading(page).filter({ hasText: text }).waitFor()
    expect(await heading(page).textContent()).toBe(text)
  }

  const expectAccessible = async (page: Page): Promise<void> => {
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
  }

  it('answers an uploaded picture in full, as the service does, asking nobody else', async () => {
    const response = await fetch(`${service.url}/classify`, { method: 'POST', body: form(red) })
    const asked = (await response.json()) as { predictions: { label: string; score: number }[] }
    const { page, faults } = await open()
    const hosts = new Set<string>()
    page.on('request', (request) => hosts.add(new URL(request.url()).origin))
    await upload(page, red)
    await expectHeading(page, 'Red')
    const answer = page.locator('#answer')
    const text = await answer.innerText()
    expect(text).toMatch(/\d\d % sure\. When I say \d\d %, I am right about \d\d times in 100 pictures of my flowers\./)
    expect(text).toContain('If it is one of my flowers, then with 95 % certainty red.')
    expect(text).toMatch(/I looked 4 times\. 2 more looks could not have changed the name\./)
    expect(text).toMatch(/in all: .* reading the picture, .* looking\./)
    expect(await answer.locator('.bars .name').allInnerTexts()).toEqual(
      asked.predictions.map(({ label }) => label.replace(/^./, (letter) => letter.toUpperCase())),
    )
    expect(await answer.locator('.bars .share').first().innerText()).toBe(
      `${Math.round(100 * asked.predictions[0]!.score)} %`,
    )
    expect(await answer.locator('.views li').count()).toBe(4)
    expect(await page.locator('#status').textContent()).toMatch(/^Red, \d\d %\./)
    await page.locator('#looked').waitFor()
    // Four places, the brightest of which is the upper left.
    const opacity = await page.evaluate<number[]>(
      `[10, 150].map((x) => looked.getContext('2d').getImageData(x, 10, 1, 1).data[3])`,
    )
    expect(opacity[0]).toBeLessThan(opacity[1]!)
    await page.getByRole('switch').click()
    expect(await page.locator('#looked').getAttribute('class')).toBe('off')
    expect([...hosts].filter((origin) => origin.startsWith('http'))).toEqual([service.url])
    expect(faults).toEqual([])
  })

  it('takes a picture by paste and by drop', async () => {
    const { page, faults } = await open()
    for (const [kind, colour, name] of [
      ['paste', '#ff0000', 'Red'],
      ['drop', '#0000ff', 'Blue'],
    ] as const) {
      await page.evaluate(bring(kind, await solid(colour, 'png')))
      await expectHeading(page, name)
    }
    expect(faults).toEqual([])
  })

  it('says how far to rely on it: sure, perhaps, a group of sorts, or none of what it knows', async () => {
    const { page, faults } = await open()
    await askWary(page)
    const cases: [colour: string, heading: RegExp, sentences: RegExp[]][] = [
      ['#ff0000', /^Red$/, [/^\d\d % sure\. When I say/, /certainty red\./, /about 88 in 100 show one of my flowers/]],
      [
        '#808080',
        /^I do not know this one$/,
        [/^It is like none of the flowers that I know\.$/, /about 12 in 100 show one of my flowers/, /^The nearest:$/],
      ],
      [
        '#00ffff',
        /^Perhaps a (green|blue)$/,
        [
          /^\d\d % sure\. When/,
          /certainty one of 2: (green or blue|blue or green)\./,
          /about 88 in 100 show one of my flowers/,
        ],
      ],
      [
        '#ff8000',
        /^A warm; of the sort I am not sure$/,
        [/^(Red|Yellow): \d\d % sure\. When/, /certainty one of 2: /, /about 50 in 100 show one of my flowers/],
      ],
    ]
    for (const [colour, headed, sentences] of cases) {
      await upload(page, await solid(colour, 'png'))
      await heading(page).filter({ hasText: headed }).waitFor()
      const paragraphs = await page.locator('#answer > p').allTextContents()
      expect(paragraphs).toEqual(sentences.map((sentence) => expect.stringMatching(sentence)))
      const title = (await heading(page).textContent())!
      expect(await page.locator('#status').textContent()).toContain(title)
    }
    await expectAccessible(page)
    expect(faults).toEqual([])
  })

  it('says plainly that the numbers of a model without calibration are not measured', async () => {
    const { page } = await open()
    await page.route('**/classify*', async (route) => {
      const response = await route.fetch()
      const answer = { ...(await response.json()), calibrated: false, set: null, known: null, level: 'perhaps' }
      answer.details.coverage = null
      await route.fulfill({ response, json: answer })
    })
    await upload(page, red)
    await expectHeading(page, 'Perhaps a red')
    const paragraphs = page.locator('#answer > p')
    expect(await paragraphs.allTextContents()).toEqual([expect.stringMatching(/has not been measured yet/)])
    expect(await page.locator('#status').textContent()).toMatch(
      /^Perhaps a red\. How often such an answer is right has not been/,
    )
    await expectAccessible(page)
  })

  it('says that it does not know what is like nothing it knows', async () => {
    const { page } = await open()
    await upload(page, await solid('#808080', 'png'))
    await expectHeading(page, 'I do not know this one')
    expect(await page.locator('#status').textContent()).toMatch(/^I do not know this one\. The nearest is/)
    await expectAccessible(page)
  })

  it('says what is wrong with a file, and what would be right', async () => {
    const { page } = await open()
    await upload(page, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))
    await expectHeading(page, 'I cannot read this')
    expect(await page.locator('#answer').innerText()).toContain('Use JPEG, PNG, WebP, AVIF, TIFF or GIF.')
    await expectAccessible(page)
    expect(await page.locator('#unshown').isVisible()).toBe(true)

    let asked = 0
    await page.route('**/classify*', (route) => (asked++, route.continue()))
    await upload(page, Buffer.alloc(1_100_000))
    await expectHeading(page, 'Picture too large')
    expect(await page.locator('#answer').innerText()).toContain('1.1 MB; up to 1 MB')
    expect(asked).toBe(0)
  })

  it('keeps the picture while the service is gone, and tries again', async () => {
    const { page } = await open()
    await page.route('**/classify*', (route) => route.abort('connectionrefused'))
    await upload(page, red)
    await expectHeading(page, 'I cannot be reached')
    expect(await page.locator('#status').textContent()).toContain('The service does not answer.')
    await page.unroute('**/classify*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await expectHeading(page, 'Red')
  })

  it('says so where a proxy answers in the place of the service, and tries again', async () => {
    const { page } = await open()
    for (const body of ['<html><h1>502 Bad Gateway</h1></html>', '']) {
      await page.route('**/classify*', (route) => route.fulfill({ status: 502, contentType: 'text/html', body }))
      await upload(page, red)
      await expectHeading(page, 'I cannot be reached')
      expect(await page.locator('#answer p').first().textContent()).toMatch(/^What stands before .*\(HTTP 502\)\./)
      await page.unroute('**/classify*')
      await page.getByRole('button', { name: 'Try again' }).click()
      await expectHeading(page, 'Red')
    }
    await page.route('**/explain*', (route) => route.fulfill({ status: 502, body: '' }))
    await upload(page, red)
    await expectHeading(page, 'Red')
    await page.getByRole('button', { name: /^Yellow/ }).click()
    expect(await page.locator('#looked').isHidden()).toBe(true)
  })

  it('keeps the focus of who works by keyboard, from one try to its answer', async () => {
    const { page } = await open()
    const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent.trim()')
    let release = (): void => {}
    const hold = async (): Promise<void> => {
      await page.route('**/classify*', async (route) => {
        await new Promise<void>((resolve) => (release = resolve))
        await route.continue()
      })
    }
    await page.route('**/classify*', (route) => route.abort('connectionrefused'))
    await upload(page, red)
    await expectHeading(page, 'I cannot be reached')
    await page.unroute('**/classify*')
    await hold()
    await page.getByRole('button', { name: 'Try again' }).focus()
    await page.keyboard.press('Enter')
    await expectHeading(page, 'I am looking')
    expect(await focused()).toBe('Stop')
    release()
    await expectHeading(page, 'Red')
    expect(await focused()).toBe('Red')
    await expectAccessible(page)
    await page.keyboard.press('Tab')
    expect(await focused()).toMatch(/^Red\d+ %$/)
    // Whoever is elsewhere stays there.
    await page.locator('#choose').focus()
    await upload(page, await solid('#0000ff', 'png'))
    await expectHeading(page, 'I am looking')
    release()
    await expectHeading(page, 'Blue')
    expect(await focused()).toBe('Choose a picture')
  })

  it('keeps the map of the class that is chosen when another fails', async () => {
    const { page } = await open()
    // The page hears that a request failed in a task of its own, later than the test.
    await page.addInitScript(
      '{ const ask = fetch; globalThis.failures = 0; globalThis.fetch = (...asked) => ask(...asked).catch((error) => { failures++; throw error }) }',
    )
    await page.reload()
    let fail = (): void => {}
    await page.route('**/explain?*label=yellow*', async (route) => {
      await new Promise<void>((resolve) => (fail = resolve))
      await route.abort()
    })
    await upload(page, red)
    await expectHeading(page, 'Red')
    await page.locator('#looked').waitFor()
    const asked = page.waitForRequest((request) => request.url().includes('label=yellow'))
    await page.getByRole('button', { name: /^Yellow/ }).click()
    await asked
    await page.getByRole('button', { name: /^Red/ }).click()
    fail()
    await until(async () => (await page.evaluate('failures')) === 1)
    expect(await page.locator('#lookedfor').textContent()).toContain('What spoke for red')
    expect(await page.locator('#looked').isVisible()).toBe(true)
    // Chosen itself, it takes the map away that is not its own.
    await page.getByRole('button', { name: /^Yellow/ }).click()
    fail()
    await page.locator('#looked').waitFor({ state: 'hidden' })
  })

  it('shows that it is busy, and stops when it is told to', async () => {
    const { page } = await open()
    const held: (() => void)[] = []
    await page.route('**/classify*', async (route) => {
      await new Promise<void>((resolve) => held.push(resolve))
      await route.continue().catch(() => {})
    })
    await upload(page, red)
    await expectHeading(page, 'I am looking')
    expect(await page.locator('#answer').getAttribute('aria-busy')).toBe('true')
    expect(await page.locator('#status').textContent()).toBe('I am looking at the picture.')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Stop' }).click()
    expect(await page.locator('#answer').getAttribute('aria-busy')).toBe('false')
    expect(await page.evaluate('document.activeElement.id')).toBe('choose')
    // The next picture wins over one that is still being asked for.
    await upload(page, red)
    await upload(page, await solid('#0000ff', 'png'))
    await until(() => held.length === 3)
    held.toReversed().forEach((release) => release())
    await expectHeading(page, 'Blue')
  })

  it('works by keyboard alone, in the dark, on a narrow screen', async () => {
    const { page, faults } = await open({ viewport: { width: 320, height: 640 }, colorScheme: 'dark' })
    page.on('filechooser', (chooser) => {
      void chooser.setFiles({ name: 'picture.png', mimeType: 'image/png', buffer: red })
    })
    const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent.trim()')
    const overflow = (): Promise<number> =>
      page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(await overflow()).toBe(0)
    await expectAccessible(page)
    const tab = async (times: number): Promise<void> => {
      for (let time = 0; time < times; time++) await page.keyboard.press('Tab')
    }
    // The name of the page, the reference, the button.
    await tab(3)
    expect(await focused()).toBe('Choose a picture')
    await page.keyboard.press('Enter')
    await expectHeading(page, 'Red')
    await page.locator('#looked').waitFor()
    expect(await page.locator('#lookedfor').textContent()).toContain('What spoke for red')
    await tab(2)
    expect(await focused()).toMatch(/^Yellow/)
    await page.keyboard.press('Enter')
    await page.locator('#lookedfor').filter({ hasText: 'yellow' }).waitFor()
    expect(await page.locator('.bars [aria-pressed="true"] .name').allInnerTexts()).toEqual(['Yellow'])
    await tab(3)
    await page.keyboard.press('Enter')
    // The first example is a drawn daisy, mostly dark green.
    await page.locator('#status').filter({ hasNotText: /^Red/ }).waitFor()
    await page.locator('main[data-state="answered"]').waitFor()
    expect(await overflow()).toBe(0)
    await expectAccessible(page)
    const dark = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    expect(Math.max(...dark.match(/\d+/g)!.map(Number))).toBeLessThan(60)
    expect(faults).toEqual([])
  })

  it('opens the camera of a phone, and offers none where there is none', async () => {
    const phone = { isMobile: true, hasTouch: true, viewport: { width: 390, height: 844 } }
    const { page, faults } = await open(phone)
    const chosen = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Take a photo' }).tap()
    const chooser = await chosen
    expect(await chooser.element().getAttribute('capture')).toBe('environment')
    await chooser.setFiles({ name: 'image.jpg', mimeType: 'image/jpeg', buffer: await solid('#ff0000', 'jpeg') })
    await expectHeading(page, 'Red')
    await page.locator('#looked').waitFor()
    await expectAccessible(page)
    expect(faults).toEqual([])
    const { page: desktop } = await open()
    expect(await desktop.getByRole('button', { name: 'Take a photo' }).isVisible()).toBe(false)
  })

  it('answers without a map where the model has none', async () => {
    const plain = await startService({ MODEL: 'slow' })
    try {
      const { page } = await open({}, plain.url)
      const refused = page.waitForResponse((response) => response.url().includes('/explain'))
      await upload(page, red)
      await expectHeading(page, 'Red')
      expect((await refused).status()).toBe(404)
      expect(await page.locator('#looked').isHidden()).toBe(true)
      expect(await page.locator('#lookedline').isHidden()).toBe(true)
    } finally {
      await plain.close()
    }
  })

  it('asks for the token of a service that has one', async () => {
    const guarded = await startService({ FLOWERS_TOKEN: 'daisy-chain' })
    try {
      const { page } = await open({}, guarded.url)
      await upload(page, red)
      await page.getByLabel('Token of this service').fill('daisy-chain')
      await expectAccessible(page)
      await page.getByLabel('Token of this service').press('Enter')
      await expectHeading(page, 'Red')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Red')
      await page.locator('#looked').waitFor()
    } finally {
      await guarded.close()
    }
  })
})
