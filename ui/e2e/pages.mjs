// Every page as its readers see it, in both languages, on a wide and on a narrow screen: pictures to look at, of the mock's town.
//
// node e2e/pages.mjs OUT
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ACCOUNTS, SETUP_TOKEN, startMock } from '../dev/mock.mjs'
import { launch, openPage } from './browser.mjs'

const out = process.argv[2] ?? '/tmp/vigie-pages'
mkdirSync(out, { recursive: true })
const browser = await launch()
for (const language of ['fr', 'en']) {
  for (const width of [1280, 390]) await pages(language, width)
}
await browser.close()
console.log(`pages in ${out}`)

async function pages(language, width) {
  const mock = await startMock()
  const { page, context } = await openPage(browser, mock.url, { language, width, height: width === 390 ? 844 : 800 })
  page.setDefaultTimeout(20_000)
  const shoot = async (name) => {
    await page.waitForTimeout(300)
    await page.screenshot({ path: join(out, `${name}-${language}-${width}.png`), fullPage: true })
  }
  const at = async (hash, ready) => {
    await page.goto(`${mock.url}/${hash}`)
    await page.waitForSelector(ready)
  }
  await at(`#setup=${SETUP_TOKEN}`, '#password')
  await shoot('setup')
  await page.goto('about:blank')
  await at('#/', '#name')
  await shoot('sign-in')
  await at('#/about', '.prose')
  await shoot('about')
  await at('#/', '#name')
  await signIn(page, 'operateur')
  await page.waitForSelector('#reason')
  await shoot('wall-door')
  await page.keyboard.type('...........')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#reason-fault')
  await shoot('wall-door-fault')
  await page.fill('#reason', 'Accident signalé au carrefour, un blessé.')
  await page.click('button[data-purpose="5"]')
  await page.waitForFunction(() => document.querySelectorAll('.tile-state.on').length >= 4)
  await shoot('wall')
  await at('#/day/c1', '[data-testid=timeline]')
  await shoot('day')
  await page.click('.chosen button.primary')
  await page.waitForFunction(() => document.querySelector('[data-testid=replay]')?.currentTime > 1)
  await shoot('replay')
  await at('#/day/c6', '[data-testid=timeline]')
  await page.click('.chosen button.primary')
  await page.waitForSelector('[data-testid=reason-cause]')
  await shoot('other-purpose')
  await at('#/health', '[data-testid=bytes-past-deadline]')
  await shoot('health')
  await at('#/account', 'h2')
  await shoot('account')
  await page.click('.account button')
  await page.waitForSelector('#name')
  await signIn(page, 'dpo')
  await at('#/live', '[data-testid=not-yours]')
  await shoot('not-yours')
  await at('#/day/c1', '[data-testid=timeline]')
  await shoot('day-dpo')
  await at('#/account', 'h2')
  await shoot('account-dpo')
  await context.close()
  mock.close()
}

async function signIn(page, name) {
  await page.fill('#name', name)
  await page.fill('#password', ACCOUNTS[name].password)
  await page.fill('#code', '123456')
  await page.click('button.primary')
  await page.waitForSelector('.account .strong')
}
