// Chromium for the end-to-end tests: no request of its own, every foreign request and console error collected.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-default-apps', '--no-first-run', '--no-default-browser-check', '--autoplay-policy=no-user-gesture-required', '--metrics-recording-only',
]

export function launch() {
  const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
  if (executablePath === undefined) throw new Error('no Chromium found: install the package `chromium` or set CHROMIUM to its path')
  return chromium.launch({ executablePath, args: ARGUMENTS })
}

/** A fresh page; `faults` gathers foreign requests, page errors and console errors. */
export async function openPage(browser, baseUrl, { dark = false, language = 'fr', width = 1360, height = 900, zoom = 1, insecure = false } = {}) {
  const context = await browser.newContext({
    viewport: { width: Math.round(width / zoom), height: Math.round(height / zoom) },
    deviceScaleFactor: zoom,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    locale: 'fr-FR',
    timezoneId: 'Europe/Paris',
    ignoreHTTPSErrors: insecure,
  })
  const page = await context.newPage()
  const faults = []
  const origin = new URL(baseUrl).origin
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith('blob:') && new URL(url).origin !== origin) faults.push(`request to another origin: ${url}`)
  })
  page.on('pageerror', (error) => faults.push(`page error: ${error.message}`))
  page.on('console', (message) => {
    // A refusal (4xx) that a test provokes is told by the browser as a console error; it is not one.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(`console: ${message.text()}`)
  })
  if (language === 'en') await page.addInitScript(() => localStorage.setItem('vigie-language', 'en'))
  return { page, context, faults }
}

/** Runs one part of a walk in a page of its own: what it throws is a fault, with a screenshot. */
export async function part(browser, walk, name, look, work) {
  const { page, context, faults } = await openPage(browser, walk.base, look)
  page.setDefaultTimeout(20_000)
  try {
    await work(page, look)
    walk.notes.push(`${walk.name}, ${name}`)
  } catch (error) {
    walk.faults.push(`${name}: ${error.message}`)
    await page.screenshot({ path: `${walk.out}/failure-${walk.name}.png`, fullPage: true }).catch(() => {})
  }
  walk.faults.push(...faults)
  await context.close()
}

/** Runs axe (WCAG 2.1 A and AA, best practices); returns one line per violation. */
export async function axe(page, where) {
  // Injected by the debugger, so the page's CSP stays in force for the page itself.
  await page.evaluate(AXE)
  const result = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }),
  )
  return result.violations.map((each) => `${where}: ${each.id} (${each.impact}) ${each.help}: ${each.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`)
}

/** Signs in at the mock, which takes any code, and goes to a screen. */
export async function signInTo(page, url, { name, password }, screen, awaited) {
  await page.goto(url)
  await page.fill('#name', name)
  await page.fill('#password', password)
  await page.fill('#code', '123456')
  await page.click('button.primary')
  await page.waitForSelector('.account .strong')
  await page.goto(`${url}/#/${screen}`)
  await page.waitForSelector(awaited)
}
