// The desk of requests for access, against the mock: entered, identified, seen on site, answered; what is missing is said each time.
//
// node e2e/access.mjs [OUT]
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ACCOUNTS, startMock } from '../dev/mock.mjs'
import { axe, launch, openPage, signInTo } from './browser.mjs'

const CARD = '[data-testid=access]:has-text("DA-2026-0003")'

/** What was wrong. */
export async function walkAccess(browser, out) {
  const mock = await startMock()
  const { page, context, faults } = await openPage(browser, mock.url, {})
  page.setDefaultTimeout(20_000)
  const look = async (name) => {
    faults.push(...(await axe(page, `${name} (fr)`)))
    await page.screenshot({ path: join(out, `${name}-fr.png`), fullPage: true })
  }
  await open(page, mock.url)
  if ((await page.$$('[data-testid=access-soon]')).length !== 1) throw new Error('one of the two is due soon')
  await look('access')
  await enter(page, look)
  await answer(page, look)
  await paper(page, out)
  await context.close()
  const english = await openPage(browser, mock.url, { language: 'en', dark: true, width: 390 })
  await open(english.page, mock.url)
  faults.push(...(await axe(english.page, 'access (en, dark)')), ...english.faults)
  await english.page.screenshot({ path: join(out, 'access-en-dark.png'), fullPage: true })
  await english.context.close()
  mock.close()
  return faults
}

const open = (page, url) => signInTo(page, url, { name: 'police', password: ACCOUNTS.police.password }, 'access', '[data-testid=access]')

/** By keyboard; nothing is sent while a field is empty. */
async function enter(page, look) {
  await page.focus('[data-testid=access-new]')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.id === 'access-form')
  await page.click('[data-testid=access-enter]')
  await page.waitForFunction(() => document.activeElement?.id === 'a-person')
  await look('access-faults')
  await page.fill('#a-person', 'Qui demande')
  await page.fill('#a-contact', '1 rue de la Poste')
  await page.fill('#a-words', 'Place du marché, ce matin, un manteau rouge.')
  await page.selectOption('#a-window-0-camera', { index: 1 })
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  await page.fill('#a-window-0-date', yesterday)
  await page.fill('#a-window-0-from', '08:00:00')
  await page.fill('#a-window-0-to', '08:10:00')
  await look('access-form')
  await page.click('[data-testid=access-enter]')
  await page.waitForSelector(CARD)
  const frozen = await page.textContent(`${CARD} [data-testid=access-frozen]`)
  if (!frozen.includes('gelées')) throw new Error(`what lives is not frozen: ${frozen}`)
}

async function answer(page, look) {
  const card = page.locator(CARD)
  await card.locator('[data-testid=access-answer]').click()
  await card.locator('[data-testid=access-step] button.primary').click()
  await card.locator('[data-testid=access-lacks]').waitFor()
  await look('access-lacks')
  await card.locator('[data-testid=access-step] .actions button:not(.primary)').click()
  await card.locator('[data-testid=access-identify]').click()
  await card.locator('[data-testid=access-step] button.primary').click()
  await card.locator('[data-testid=access-identify]').waitFor({ state: 'detached' })
  await card.locator('[data-testid=access-view]').click()
  await card.locator('[data-testid=access-step] button.primary').click()
  await card.locator('[data-testid=access-step] .fault').waitFor()
  await card.locator('[data-testid=access-step] input').fill('la personne, l’agent')
  await card.locator('[data-testid=access-step] button.primary').click()
  await card.getByText('en présence de').waitFor()
  await card.locator('[data-testid=access-answer]').click()
  await look('access-answer')
  await card.locator('[data-testid=access-step] button.primary').click()
  await card.locator('[data-testid=access-letter] summary').click()
  await look('access-letter')
  await card.locator('[data-testid=access-letter] summary').click()
}

/** The form for the public prints alone, and has nothing of anybody. */
async function paper(page, out) {
  await page.click('[data-testid=access-paper] summary')
  await page.emulateMedia({ media: 'print' })
  const printed = await page.innerText('body')
  if (!printed.includes('L253-5') || printed.includes('Qui demande') || printed.includes('DA-2026')) throw new Error(`the printed form: ${printed}`)
  await page.screenshot({ path: join(out, 'access-paper-print.png'), fullPage: true })
  await page.emulateMedia({ media: null })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2] ?? join(tmpdir(), 'vigie-access-screens')
  mkdirSync(out, { recursive: true })
  const browser = await launch()
  const faults = await walkAccess(browser, out)
  await browser.close()
  faults.forEach((fault) => console.error(fault))
  console.log(`screens in ${out}`)
  process.exit(faults.length === 0 ? 0 : 1)
}
