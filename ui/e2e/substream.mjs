// A town whose camera sends H.265, with a sub-stream in H.264, in a browser without H.265: its pictures move all the same,
// live, enlarged and replayed, and one line says why.
//
// node e2e/substream.mjs BASE_URL OUT   (the operator's are VIGIE_OPERATOR_PASSWORD and VIGIE_OPERATOR_SECRET)
import { mkdirSync } from 'node:fs'
import { launch, openPage } from './browser.mjs'
import { REASON, chooseFootage, inspect, playing, report, signIn, state } from './console.mjs'

const [base, out] = process.argv.slice(2)
const operator = { name: 'operateur', password: process.env.VIGIE_OPERATOR_PASSWORD, secret: process.env.VIGIE_OPERATOR_SECRET }
const walk = { base: base.replace(/\/$/, ''), out, purpose: 5, reason: REASON, seconds: 40, faults: [], notes: [] }
mkdirSync(out, { recursive: true })
const browser = await launch()
for (const look of [{ language: 'fr', dark: false }, { language: 'en', dark: true }]) {
  const { page, context, faults } = await openPage(browser, walk.base, look)
  page.setDefaultTimeout(20_000)
  try {
    await view(page, look)
  } catch (error) {
    faults.push(error.message)
  }
  walk.faults.push(...faults.map((fault) => `${look.language}: ${fault}`))
  await context.close()
}
await browser.close()
process.exitCode = report(walk)

async function view(page, look) {
  if (await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L93.B0"'))) {
    walk.notes.push('this browser plays H.265: nothing to be seen here')
    return
  }
  await signIn(page, walk, operator)
  await state(page, walk)
  await playing(page, walk, '.wall video', 1)
  await line(page, look)
  await inspect(page, walk, look, 'sub-stream-wall')
  await page.focus('.tile .picture')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.tile.large')
  await line(page, look)
  await inspect(page, walk, look, 'sub-stream-large')
  // the replay's other language and theme: e2e/mock.mjs
  if (look.dark) return
  await page.click('.tile a')
  await page.waitForSelector('[data-testid=timeline]')
  await chooseFootage(page) // under the wall's reason, which holds
  await playing(page, walk, '[data-testid=replay]', 1)
  await line(page, look)
  await inspect(page, walk, look, 'sub-stream-replay')
}

/** One line with the reason and the size of what is shown. */
async function line(page, look) {
  const words = look.language === 'fr' ? 'Flux secondaire (352 × 288)' : 'Sub-stream (352 × 288)'
  await page.waitForFunction((wanted) => {
    const text = document.querySelector('[data-testid=sub-stream]')?.textContent.replaceAll(/\s/g, ' ') ?? ''
    return text.includes(wanted) && text.includes('H.265')
  }, words)
  if ((await page.$('[data-testid=unsupported]')) !== null) throw new Error('the message about H.265 stands beside moving pictures')
}
