// Holds, against the mock: made in two steps, bound to a requisition, lifted; what is wrong is said before anything is sent.
//
// node e2e/holds.mjs [OUT]
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ACCOUNTS, startMock } from '../dev/mock.mjs'
import { axe, launch, openPage, signInTo } from './browser.mjs'

const CARD = (number) => `[data-testid=hold]:has-text("${number}")`

/** What was wrong. */
export async function walkHolds(browser, out) {
  const mock = await startMock()
  const { page, context, faults } = await openPage(browser, mock.url, {})
  page.setDefaultTimeout(20_000)
  const look = async (name) => {
    faults.push(...(await axe(page, `${name} (fr)`)))
    await page.screenshot({ path: join(out, `${name}-fr.png`), fullPage: true })
  }
  await open(page, mock.url)
  if ((await page.$$('[data-testid=hold-urgent]')).length !== 1) throw new Error('one hold of the three is a warning')
  await page.click('[data-testid=holds-ended] summary')
  await look('holds')
  await make(page, look)
  await bind(page, look)
  await lift(page, look)
  await context.close()
  const english = await openPage(browser, mock.url, { language: 'en', dark: true, width: 390 })
  await open(english.page, mock.url)
  faults.push(...(await axe(english.page, 'holds (en, dark)')), ...english.faults)
  await english.page.screenshot({ path: join(out, 'holds-en-dark.png'), fullPage: true })
  await english.context.close()
  mock.close()
  return faults
}

const open = (page, url) => signInTo(page, url, { name: 'police', password: ACCOUNTS.police.password }, 'requisitions', '[data-testid=hold]')

/** One for which there is no room, then one that fits and is copied. */
async function make(page, look) {
  await page.focus('[data-testid=hold-new]')
  await page.keyboard.press('Enter')
  await focused(page, 'hold-form')
  await page.click('[data-testid=hold-form] button.primary')
  await focused(page, 'h-requester')
  await page.waitForSelector('#h-windows-fault')
  await look('hold-faults')
  await fill(page, '08:00:00', '18:00:00')
  await page.waitForSelector('[data-testid=hold-no-room]')
  await page.click('[data-testid=hold-freeze]')
  await page.waitForSelector('[data-testid=hold-form] .problem:has-text("La réserve n’a plus la place")')
  await page.click('[data-testid=hold-form] button:has-text("Revenir au formulaire")')
  await fill(page, '12:00:00', '12:20:00')
  await page.waitForSelector('[data-testid=hold-weight]:has-text("≈ 614")')
  await focused(page, 'hold-form')
  await look('hold-weighed')
  await page.click('[data-testid=hold-freeze]')
  await page.waitForSelector(`${CARD('G-0011')}:has-text("pas encore complète")`)
  await focused(page, 'holds')
  // the page asks again by itself
  await page.waitForSelector(`${CARD('G-0011')} [data-testid=hold-copy]:has-text("complète (614")`)
}

async function bind(page, look) {
  const card = CARD('G-0009')
  await page.click(`${card} [data-testid=hold-bind]`)
  await page.click(`${card} button.primary`)
  await page.waitForSelector(`${card} .fault`)
  await page.waitForFunction(() => document.activeElement?.tagName === 'SELECT')
  await page.selectOption(`${card} select`, { label: '2026-0002 · Commissariat central (ne demande pas tout cela)' })
  await page.click(`${card} button.primary`)
  await page.waitForSelector(`${card} .problem:has-text("hold-only-what-is-asked")`)
  await look('hold-bind-refused')
  await page.selectOption(`${card} select`, { label: '2026-0001 · Commissariat central' })
  await page.click(`${card} button.primary`)
  await page.waitForSelector(`${card} .badge.ok:has-text("2026-0001")`)
  await focused(page, 'holds')
}

/** Asked twice, given up once. */
async function lift(page, look) {
  const card = CARD('G-0010')
  await page.click(`${card} [data-testid=hold-lift]`)
  await page.click(`${card} button:has-text("Non")`)
  await page.click(`${card} [data-testid=hold-lift]`)
  await look('hold-lift')
  await page.click('[data-testid=hold-lift-yes]')
  await page.waitForSelector('[data-testid=hold-ended]:has-text("G-0010"):has-text("levée par la commune")')
  if ((await page.$(card)) !== null) throw new Error('a lifted hold still stands')
}

async function fill(page, from, to) {
  await page.fill('#h-requester', 'Officier de permanence, commissariat central')
  await page.fill('#h-reason', 'Accident au carrefour, réquisition annoncée.')
  await page.selectOption('#h-window-0-camera', 'c1')
  await page.fill('#h-window-0-date', new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris' }).format(Date.now() - 24 * 3_600_000))
  await page.fill('#h-window-0-from', from)
  await page.fill('#h-window-0-to', to)
  await page.click('[data-testid=hold-form] button.primary')
}

function focused(page, id) {
  return page.waitForFunction((wanted) => document.activeElement?.id === wanted, id)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2] ?? join(tmpdir(), 'vigie-console-screens')
  mkdirSync(out, { recursive: true })
  const browser = await launch()
  const faults = await walkHolds(browser, out).catch((error) => [error.message])
  await browser.close()
  for (const fault of faults) console.error(fault)
  process.exit(faults.length === 0 ? 0 : 1)
}
