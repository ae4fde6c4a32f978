// Opinions, against the mock: the data-protection officer says yes to a disciplinary request, by keyboard; what is missing is said before.
//
// node e2e/opinions.mjs [OUT]
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ACCOUNTS, startMock } from '../dev/mock.mjs'
import { axe, launch, openPage, signInTo } from './browser.mjs'

const CARD = '[data-testid=opinion-request]'

/** What was wrong. */
export async function walkOpinions(browser, out) {
  const mock = await startMock()
  const { page, context, faults } = await openPage(browser, mock.url, {})
  page.setDefaultTimeout(20_000)
  const look = async (name) => {
    faults.push(...(await axe(page, `${name} (fr)`)))
    await page.screenshot({ path: join(out, `${name}-fr.png`), fullPage: true })
  }
  await signInTo(page, mock.url, account('dpo'), 'opinions', CARD)
  await look('opinions')
  await give(page, look)
  await context.close()
  const police = await openPage(browser, mock.url, {})
  await signInTo(police.page, mock.url, account('police'), 'requisitions', '[data-testid=opinions] >> text=favorable')
  const told = await police.page.textContent('[data-testid=opinions]')
  if (!told.includes('responsable du service') || !told.includes('dpo')) throw new Error(`the register tells of both opinions: ${told}`)
  faults.push(...(await axe(police.page, 'requisitions with opinions (fr)')), ...police.faults)
  await police.page.screenshot({ path: join(out, 'requisitions-opinions-fr.png'), fullPage: true })
  await police.context.close()
  const english = await openPage(browser, mock.url, { language: 'en', dark: true, width: 390 })
  await signInTo(english.page, mock.url, account('dpo'), 'opinions', CARD)
  faults.push(...(await axe(english.page, 'opinions (en, dark)')), ...english.faults)
  await english.page.screenshot({ path: join(out, 'opinions-en-dark.png'), fullPage: true })
  await english.context.close()
  mock.close()
  return faults
}

const account = (name) => ({ name, password: ACCOUNTS[name].password })

async function give(page, look) {
  await page.focus('[data-testid=opinion-give]')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.tagName === 'H3')
  await page.click('[data-testid=opinion-form] button.primary')
  await page.waitForFunction(() => document.activeElement?.type === 'radio')
  await page.keyboard.press('Space')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA')
  await look('opinion-faults')
  await page.keyboard.type('L’acte est motivé ; dix minutes suffisent.')
  await page.click('[data-testid=opinion-form] button.primary')
  await page.waitForSelector(`${CARD} [data-testid=opinions] >> text=dix minutes suffisent`)
  await page.waitForFunction(() => document.activeElement?.tagName === 'H1')
  await look('opinion-given')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2] ?? join(tmpdir(), 'vigie-opinions-screens')
  mkdirSync(out, { recursive: true })
  const browser = await launch()
  const faults = await walkOpinions(browser, out)
  await browser.close()
  faults.forEach((fault) => console.error(fault))
  console.log(`screens in ${out}`)
  process.exit(faults.length === 0 ? 0 : 1)
}
