// A passkey from its making to its removal, by the keyboard, against a running town and an authenticator in the browser.
//
// node e2e/passkey.mjs BASE_URL OUT   (the operator's are VIGIE_OPERATOR_PASSWORD and VIGIE_OPERATOR_SECRET)
import { mkdirSync } from 'node:fs'
import { unusedCode } from './authenticator.mjs'
import { launch, openPage } from './browser.mjs'
import { inspect, report, signIn } from './console.mjs'

const [given, out] = process.argv.slice(2)
// a passkey is bound to a name, not to an IP address
const base = given.replace(/\/$/, '').replace('127.0.0.1', 'localhost')
const operator = { name: 'operateur', password: process.env.VIGIE_OPERATOR_PASSWORD, secret: process.env.VIGIE_OPERATOR_SECRET }
const walk = { base, out, faults: [], notes: [] }
// another walk may have used the codes up to the next one
operator.lastStep = Math.floor(Date.now() / 30_000) + 1
mkdirSync(out, { recursive: true })
const browser = await launch()
const { page, context, faults } = await openPage(browser, base, {})
page.setDefaultTimeout(20_000)
try {
  await withAuthenticator(page)
  await signIn(page, walk, operator)
  await page.focus('.account a')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#label')
  await inspect(page, walk, { language: 'fr', dark: false }, 'account')
  await page.fill('#label', 'clé du coffre')
  await page.fill('#password', operator.password)
  await page.fill('#code', await unusedCode(operator))
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=passkeys] li')
  await inspect(page, walk, { language: 'fr', dark: false }, 'account-with-passkey')
  await page.click('.account button')
  await page.waitForSelector('[data-testid=passkey]')
  await page.focus('[data-testid=passkey]')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.account .strong')
  walk.notes.push('signed in by a passkey alone')
  await page.goto(`${base}/#/account`)
  await page.waitForSelector('[data-testid=passkeys] li')
  await page.focus('[data-testid=passkeys] button')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=passkeys]', { state: 'detached' })
  await page.click('.account button')
  await page.waitForSelector('[data-testid=passkey]')
  await page.click('[data-testid=passkey]')
  await page.waitForSelector('.problem')
  walk.notes.push('a removed passkey signs nobody in')
} catch (error) {
  walk.faults.push(error.message)
  await page.screenshot({ path: `${out}/failure-passkey.png`, fullPage: true }).catch(() => {})
}
walk.faults.push(...faults)
await context.close()
await browser.close()
process.exitCode = report(walk)

async function withAuthenticator(page) {
  const debug = await page.context().newCDPSession(page)
  await debug.send('WebAuthn.enable')
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true }
  await debug.send('WebAuthn.addVirtualAuthenticator', { options })
}
