// Break-glass from its demand to its acknowledgement, in a running town: two persons at one screen, a banner on the wall, the officer.
//
// node e2e/glass.mjs BASE_URL OUT   (passwords and secrets are VIGIE_OPERATOR_…, VIGIE_SECOND_… and VIGIE_DPO_…)
import { mkdirSync } from 'node:fs'
import { holder, unusedCode } from './authenticator.mjs'
import { launch, part } from './browser.mjs'
import { inspect, report, signIn } from './console.mjs'

const [given, out] = process.argv.slice(2)
const base = given.replace(/\/$/, '')
const [operator, second, dpo] = [holder('operateur', 'OPERATOR'), holder('cheffe', 'SECOND'), holder('dpo', 'DPO')]
const walk = { name: 'glass', base, out, faults: [], notes: [] }
// another walk may have used the codes up to the next one
operator.lastStep = Math.floor(Date.now() / 30_000) + 1
mkdirSync(out, { recursive: true })
const browser = await launch()
await part(browser, walk, 'two persons', { language: 'fr', dark: false }, twoPersons)
await part(browser, walk, 'the officer', { language: 'en', dark: true }, theOfficer)
await browser.close()
process.exitCode = report(walk)

async function twoPersons(page, look) {
  await signIn(page, walk, operator)
  await page.goto(`${base}/#/break-glass`)
  await page.waitForSelector('[data-testid=glass-ask]')
  await inspect(page, walk, look, 'break-glass')
  await page.check('[data-testid=glass-ask] input[type=checkbox] >> nth=0')
  await page.fill('#glass-reason', 'Incendie signalé par le 18 à l’école')
  await page.fill('#glass-password', operator.password)
  await page.fill('#glass-code', await unusedCode(operator))
  await page.keyboard.press('Enter')
  const form = '[data-testid=glass-confirm]'
  await page.waitForSelector(form)
  await inspect(page, walk, look, 'break-glass-asked')
  await confirm(page, form, { ...operator, code: '000000' })
  await page.waitForSelector(`${form} .problem`)
  await confirm(page, form, { ...second, code: await unusedCode(second) })
  await page.waitForSelector('[data-testid=glass-open]')
  await inspect(page, walk, look, 'break-glass-open')
  await page.goto(`${base}/#/live`)
  await page.waitForSelector('.look-form')
  const left = await page.textContent('[data-testid=glass-banner] .countdown')
  if (!/^1[0-5]:\d\d$/.test((left ?? '').trim())) throw new Error(`the banner's countdown says \`${left}\``)
  await inspect(page, walk, look, 'wall-break-glass')
  await page.goto(`${base}/#/health`)
  await page.waitForSelector('.summary.alarm')
  await page.goto(`${base}/#/break-glass`)
  await page.click('[data-testid=glass-open] button')
  await page.waitForSelector('[data-testid=glass-ended]')
  await page.waitForSelector('[data-testid=glass-banner]', { state: 'detached' })
}

async function theOfficer(page, look) {
  await signIn(page, walk, dpo)
  await page.goto(`${base}/#/break-glass`)
  await page.waitForSelector('[data-testid=glass-ended]')
  const text = (await page.textContent('[data-testid=glass-ended]')) ?? ''
  if (!text.includes('operateur') || !text.includes('cheffe')) throw new Error('the officer is not told who opened it')
  await inspect(page, walk, look, 'break-glass-officer')
  await page.click('[data-testid=glass-ended] button.primary')
  await page.waitForSelector('[data-testid=glass-ended]', { state: 'detached' })
}

async function confirm(page, form, person) {
  const [name, password, code] = await page.$$(`${form} input`)
  await name.fill(person.name)
  await password.fill(person.password)
  await code.fill(person.code)
  await page.click(`${form} button.primary`)
}
