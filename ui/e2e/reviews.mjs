// Reviews of a real town by the keyboard alone: what was done under pseudonyms, accounts, questions, a name by two persons, and one's
// own trace. Comes last in the walk: it reads what the others did.
//
// node e2e/reviews.mjs BASE_URL OUT   (passwords and secrets: VIGIE_OPERATOR_…, VIGIE_DPO_…, VIGIE_MAYOR_…)
import { mkdirSync } from 'node:fs'
import { holder, unusedCode } from './authenticator.mjs'
import { launch, openPage } from './browser.mjs'
import { inspect, report, signIn } from './console.mjs'

const [base, out] = process.argv.slice(2)
const [operator, dpo, mayor] = [holder('operateur', 'OPERATOR'), holder('dpo', 'DPO'), holder('maire', 'MAYOR')]
// codes of the walk before this one were used
operator.lastStep = Math.floor(Date.now() / 30_000) + 1
const WHY = 'Contrôle mensuel du délégué.'
const walk = { base: base.replace(/\/$/, ''), out, faults: [], notes: [] }
mkdirSync(out, { recursive: true })
const browser = await launch()
for (const look of [{ language: 'fr', dark: false }, { language: 'en', dark: true }]) {
  await withPage(look, 'own trace', ownTrace)
  await withPage(look, 'officer', officer)
}
await browser.close()
process.exitCode = report(walk)

async function ownTrace(page, look) {
  await signIn(page, walk, operator)
  await page.goto(`${walk.base}/#/reviews`)
  await page.waitForSelector('main .notice')
  if ((await page.$('form')) !== null) throw new Error('an operator is offered a review')
  await page.goto(`${walk.base}/#/account`)
  await page.waitForSelector('.own-trace [data-testid=trace] tbody tr')
  await inspect(page, walk, look, 'account-own-trace')
}

async function officer(page, look) {
  await signIn(page, walk, dpo)
  await page.waitForSelector('#review-reason')
  await inspect(page, walk, look, 'reviews')
  await tabTo(page, '.look-form button[type=submit]')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#review-reason-fault')
  await page.keyboard.type(WHY)
  await ask(page)
  await page.waitForSelector('[data-testid=trace] tbody tr')
  const whos = await page.$$eval('[data-testid=trace] td.pseudonym', (all) => all.map((each) => each.textContent))
  if (!whos.every((who) => /^[0-9A-Z]{4}-[0-9A-Z]{4}$/.test(who))) throw new Error(`not pseudonyms: ${whos}`)
  if ((await page.textContent('[data-testid=trace]')).includes(operator.name)) throw new Error('the trace names an account')
  await inspect(page, walk, look, 'reviews-trace')
  if (!look.dark) await name(page, look)
  await choose(page, 'accounts')
  await ask(page)
  await page.waitForSelector('[data-testid=accounts] tbody tr')
  await inspect(page, walk, look, 'reviews-accounts')
  await choose(page, 'questions')
  await page.evaluate(() => (document.querySelector('#first').value = ''))
  await page.fill('#first', new Date(Date.now() - 86_400_000).toISOString().slice(0, 10))
  await ask(page)
  await page.waitForSelector('[data-testid=questions] li')
  await inspect(page, walk, look, 'reviews-questions')
}

/** The officer and the mayor at one screen. */
async function name(page, look) {
  const looked = await page.$$eval('[data-testid=trace] tbody tr', (rows) => rows.find((row) => row.querySelector('.badge').textContent === 'consultation').querySelector('.pseudonym').textContent)
  await tabTo(page, '#pseudonym')
  await page.selectOption('#pseudonym', looked)
  await tabTo(page, '#name-reason')
  await page.keyboard.type('Réclamation d’un habitant du 12.')
  await tabTo(page, '#own-password')
  await page.keyboard.type(dpo.password)
  await tabTo(page, '#own-code')
  await page.keyboard.type(await unusedCode(dpo))
  await tabTo(page, '#own-second')
  await page.keyboard.type(mayor.name)
  await tabTo(page, '#own-second-password')
  await page.keyboard.type(mayor.password)
  await tabTo(page, '#own-second-code')
  await page.keyboard.type(await unusedCode(mayor))
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=name-shown]')
  const shown = await page.textContent('[data-testid=name-shown]')
  if (!shown.includes('operateur')) throw new Error(`the name shown is: ${shown}`)
  await inspect(page, walk, look, 'reviews-name')
  walk.notes.push('a name was shown to two persons')
}

async function choose(page, kind) {
  await page.focus('input[name=kind]:checked')
  for (let step = 0; step < 3 && !(await page.isChecked(`input[name=kind][value=${kind}]`)); step += 1) await page.keyboard.press('ArrowDown')
}

async function ask(page) {
  await tabTo(page, '.look-form button[type=submit]')
  await page.keyboard.press('Enter')
}

async function tabTo(page, selector) {
  for (let press = 0; press < 120; press += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`\`${selector}\` cannot be reached with the Tab key`)
}

async function withPage(look, what, act) {
  const { page, context, faults } = await openPage(browser, walk.base, look)
  page.setDefaultTimeout(20_000)
  try {
    await act(page, look)
    walk.notes.push(`${what}, ${look.language}`)
  } catch (error) {
    faults.push(error.message)
    await page.screenshot({ path: `${out}/failure-reviews-${look.language}.png`, fullPage: true }).catch(() => {})
  }
  walk.faults.push(...faults.map((fault) => `${what}, ${look.language}: ${fault}`))
  await context.close()
}
