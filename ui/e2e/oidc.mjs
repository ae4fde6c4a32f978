// From the sign-in button to the identity provider and back, in a browser: the account's own code, signing out of both, an
// identity without an account. The provider is on another site and sends the browser to the console with a code.
//
// node e2e/oidc.mjs BASE_URL ISSUER OUT   (the account's code is VIGIE_CODE, its identity VIGIE_IDENTITY)
import { mkdirSync } from 'node:fs'
import { axe, launch, openPage } from './browser.mjs'

const [base, issuer, out] = process.argv.slice(2)
const faults = []
mkdirSync(out, { recursive: true })
const browser = await launch()
const opened = await openPage(browser, base, { insecure: true })
const { page, context } = opened
page.setDefaultTimeout(20_000)

const expect = (holds, what) => {
  if (!holds) faults.push(what)
}

async function toTheProvider(identity, level) {
  await page.goto(base)
  await page.waitForSelector('[data-testid=provider]')
  await page.focus('[data-testid=provider]')
  await page.keyboard.press('Enter')
  await page.waitForSelector('input[name=login]')
  expect(page.url().startsWith(issuer), 'the button leads to the provider')
  await page.fill('input[name=login]', identity)
  await page.fill('input[name=acr]', level)
  await page.keyboard.press('Enter')
}

try {
  await toTheProvider(process.env.VIGIE_IDENTITY, 'one')
  await page.waitForSelector('#provider-code')
  expect(page.url() === `${base}/`, `nothing of the return stays in the address: ${page.url()}`)
  faults.push(...(await axe(page, 'code')))
  await page.screenshot({ path: `${out}/provider-code.png`, fullPage: true })
  await page.fill('#provider-code', process.env.VIGIE_CODE)
  await page.keyboard.press('Enter')
  await page.waitForSelector('.account .strong')
  expect((await page.textContent('.account .strong')) === 'operateur', 'the account is the one that is bound')
  await page.goBack().catch(() => {})
  expect(!page.url().includes('code='), `no code in the history: ${page.url()}`)
  await page.goto(base)
  await page.waitForSelector('.account .strong')
  await page.click('.account button')
  await page.waitForSelector('[data-testid=provider-leave]')
  await page.screenshot({ path: `${out}/provider-signed-out.png`, fullPage: true })
  faults.push(...(await axe(page, 'signed out')))
  await page.click('[data-testid=provider-leave]')
  await page.waitForURL(`${issuer}/session/end*`)
  await page.click('button[name=logout]')
  await page.waitForURL(`${base}/`)
  await toTheProvider('inconnue', 'two')
  await page.waitForSelector('[data-testid=identity]')
  expect((await page.textContent('[data-testid=identity]')) === 'inconnue', 'a person without an account is told the identity')
  faults.push(...(await axe(page, 'not bound')))
  await page.screenshot({ path: `${out}/provider-not-bound.png`, fullPage: true })
} catch (error) {
  faults.push(error.message)
  await page.screenshot({ path: `${out}/provider-failure.png`, fullPage: true }).catch(() => {})
}
faults.push(...opened.faults.filter((fault) => !fault.includes(issuer)))
await context.close()
await browser.close()
faults.forEach((fault) => console.error(`FAULT ${fault}`))
process.exitCode = faults.length === 0 ? 0 : 1
