// From a requisition to a sealed package, in a running town: the register's form, two persons at one screen, progress, stop.
//
// node e2e/handover.mjs BASE_URL OUT [--wait]   (passwords and secrets are VIGIE_FIRST_…, VIGIE_SECOND_… and VIGIE_OPERATOR_…)
// With --wait also the package's end and its file: a batch of the log closes within a minute or two.
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { holder, unusedCode } from './authenticator.mjs'
import { launch, part } from './browser.mjs'
import { inspect, report, signIn } from './console.mjs'

const [given, out] = process.argv.slice(2)
const waits = process.argv.includes('--wait')
const base = given.replace(/\/$/, '')
const [first, second, operator] = [holder('brigadier', 'FIRST'), holder('cheffe', 'SECOND'), holder('operateur', 'OPERATOR')]
const walk = { name: 'handover', base, out, faults: [], notes: [] }
// another walk may have used the codes up to the next one
const used = Math.floor(Date.now() / 30_000) + 1
second.lastStep = used
operator.lastStep = used
mkdirSync(out, { recursive: true })
const browser = await launch()
await part(browser, walk, 'from a requisition to a package', { language: 'fr', dark: false }, handOver)
await part(browser, walk, 'the register in English', { language: 'en', dark: true }, inEnglish)
await part(browser, walk, 'an operator has no part in it', { language: 'fr', dark: false }, notTheOperator)
await browser.close()
process.exitCode = report(walk)

/** `HH:MM:SS` in Paris, so many seconds ago. */
function clockTime(secondsAgo) {
  return new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(Date.now() - secondsAgo * 1000)
}

async function handOver(page, look) {
  await signIn(page, walk, first)
  await page.goto(`${base}/#/requisitions`)
  await page.click('button.primary')
  await page.waitForSelector('[data-testid=requisition-form]')
  await inspect(page, walk, look, 'requisition-new')
  // what cannot be read is named before anything is sent
  await page.fill('#r-window-0-from', '14:00:00')
  await page.click('[data-testid=requisition-form] button.primary')
  await page.waitForSelector('#r-window-0-fault')
  await page.fill('#r-service', 'Commissariat central')
  await page.fill('#r-name', 'Officier de permanence')
  await page.fill('#r-procedure', 'PV 2026/118')
  await page.fill('#r-object', 'Vol avec violence, place de la Mairie')
  await page.selectOption('#r-window-0-camera', { index: 1 })
  await page.fill('#r-window-0-from', clockTime(8))
  await page.fill('#r-window-0-to', clockTime(3))
  await page.click('[data-testid=requisition-form] button.primary')
  await page.waitForSelector('[data-testid=requisition] .badge.warning')
  await inspect(page, walk, look, 'requisition-incomplete')
  await page.click('[data-testid=requisition] .actions button')
  await page.setInputFiles('#r-scan', { name: 'requisition.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(150_000, '%PDF-1.7 ') })
  const today = await page.inputValue('#r-date')
  await page.fill('#r-called-date', today)
  await page.fill('#r-called-time', clockTime(60).slice(0, 5))
  await page.fill('#r-called-number', '17')
  await page.fill('#r-spoken', 'Chef de poste')
  await page.fill('#r-validator', 'Le maire')
  await page.click('[data-testid=requisition-form] button.primary')
  await page.waitForSelector('[data-testid=requisition] .badge.ok')
  await page.click('[data-testid=requisition] .actions button.primary')
  await page.waitForSelector('[data-testid=export-form]')
  await inspect(page, walk, look, 'handover-form')
  await page.check('[data-testid=export-form] input[value=passphrase]')
  await fillPersons(page, { ...second, code: '000000' })
  await page.waitForSelector('[data-testid=export-form] .problem')
  await fillPersons(page, { ...second, code: await unusedCode(second) })
  await page.waitForSelector('[data-testid=package-open]')
  await inspect(page, walk, look, 'handover-open')
  await page.click('[data-testid=package-open] button.primary')
  await page.waitForSelector('[data-testid=passphrase]')
  const passphrase = ((await page.textContent('[data-testid=passphrase]')) ?? '').trim()
  if (!/^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/.test(passphrase)) throw new Error('the passphrase has another form')
  await page.waitForSelector('[data-testid=package-log]', { timeout: 120_000 }) // the last reel closes within a minute
  await inspect(page, walk, look, 'handover-log')
  if (!waits) {
    await page.click('[data-testid=package-log] button')
    await page.waitForSelector('[data-testid=package-cancelled]')
    return answer(page, look)
  }
  await page.waitForSelector('[data-testid=package-ready]', { timeout: 240_000 })
  await inspect(page, walk, look, 'handover-ready')
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-testid=package-ready] a')])
  const path = `${out}/${download.suggestedFilename()}`
  await download.saveAs(path)
  walk.notes.push(`${path}: ${statSync(path).size} bytes, passphrase ${passphrase}`)
  await page.click('[data-testid=package-ready] .actions:last-child button')
  await page.click('[data-testid=delivery-form] button.primary')
  await page.waitForSelector('[data-testid=delivery-form] .fault')
  const [, , recipient, quality, medium, key] = await page.$$('[data-testid=delivery-form] input')
  await recipient.fill('Officier de permanence')
  await quality.fill('OPJ')
  await medium.fill('clé USB n° 14')
  await key.fill('téléphone, au numéro connu')
  await inspect(page, walk, look, 'delivery-form')
  await page.click('[data-testid=delivery-form] button.primary')
  await page.waitForSelector('[data-testid=delivered]')
  await inspect(page, walk, look, 'delivered')
  await answer(page, look)
}

/** A partial answer, with its letter. */
async function answer(page, look) {
  await page.click('[data-testid=requisition] > .actions button >> nth=1')
  await page.waitForSelector('[data-testid=answer-form]')
  await page.check('[data-testid=answer-form] input[value=partial]')
  await page.click('[data-testid=answer-form] button.primary')
  await page.waitForSelector('[data-testid=answer-form] .fault')
  await page.selectOption('[data-testid=answer-form] select', 'never-recorded')
  await page.fill('[data-testid=answer-form] textarea', 'La caméra de la rue voisine était en maintenance.')
  await inspect(page, walk, look, 'answer-form')
  await page.click('[data-testid=answer-form] button.primary')
  await page.click('[data-testid=letter] summary')
  await page.waitForSelector('[data-testid=letter] .paper')
  await inspect(page, walk, look, 'answer-letter')
  const [paper] = await Promise.all([page.waitForEvent('download'), page.click('[data-testid=letter-pdf] button >> nth=0')])
  const path = `${out}/${paper.suggestedFilename()}`
  await paper.saveAs(path)
  if (!readFileSync(path).subarray(0, 5).equals(Buffer.from('%PDF-'))) throw new Error('the letter is no PDF')
  await viewing(page, look)
}

/** Who requires came and looked. */
async function viewing(page, look) {
  await page.click('[data-testid=requisition] > .actions button >> nth=2')
  await page.waitForSelector('[data-testid=viewing-form]')
  await page.click('[data-testid=viewing-form] button.primary')
  await page.waitForSelector('[data-testid=viewing-form] .fault')
  await page.fill('[data-testid=viewing-form] input', 'Deux gendarmes de la brigade')
  await inspect(page, walk, look, 'viewing-form')
  await page.click('[data-testid=viewing-form] button.primary')
  await page.waitForSelector('[data-testid=viewing]')
  await inspect(page, walk, look, 'viewing')
}

async function fillPersons(page, other) {
  await page.fill('#handover-password', first.password)
  await page.fill('#handover-code', await unusedCode(first))
  await page.fill('#handover-second', other.name)
  await page.fill('#handover-second-password', other.password)
  await page.fill('#handover-second-code', other.code)
  await page.click('[data-testid=export-form] button.primary')
}

async function inEnglish(page, look) {
  await signIn(page, walk, first)
  await page.goto(`${base}/#/requisitions`)
  await page.waitForSelector('[data-testid=requisition]')
  await inspect(page, walk, look, 'requisitions')
}

async function notTheOperator(page, look) {
  await signIn(page, walk, operator)
  if ((await page.$('nav a[href="#/requisitions"]')) !== null) throw new Error('an operator is offered the register')
  await page.goto(`${base}/#/requisitions`)
  await page.waitForSelector('[data-testid=not-yours]')
  await inspect(page, walk, look, 'requisitions-not-yours')
}
