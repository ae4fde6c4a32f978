// Delivery by link: made, told once, revoked and told of in the handover, against the mock; then the recipient's own page, as it is served.
//
// node e2e/links.mjs [OUT]
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ACCOUNTS, startMock } from '../dev/mock.mjs'
import { axe, launch, openPage, signInTo } from './browser.mjs'

const LINKS = '[data-testid=links]'
const TOKEN = '5c'.repeat(32)

/** What was wrong. */
export async function walkLinks(browser, out) {
  const mock = await startMock()
  const { page, context, faults } = await openPage(browser, mock.url, {})
  page.setDefaultTimeout(20_000)
  const look = async (name) => {
    faults.push(...(await axe(page, `${name} (fr)`)))
    await page.screenshot({ path: join(out, `${name}-fr.png`), fullPage: true })
  }
  await open(page, mock.url)
  await page.waitForSelector('[data-testid=link-over]:has-text("téléchargement 1 donné en entier")')
  await make(page, look)
  await prefilled(page)
  await revoke(page, look)
  await context.close()
  const english = await openPage(browser, mock.url, { language: 'en', dark: true, width: 390 })
  await open(english.page, mock.url)
  faults.push(...(await axe(english.page, 'links (en, dark)')), ...english.faults)
  await english.context.close()
  mock.close()
  return [...faults, ...(await walkRecipient(browser, out))]
}

const open = (page, url) => signInTo(page, url, { name: 'police', password: ACCOUNTS.police.password }, 'requisitions', LINKS)

/** By keyboard: what is missing is said, then link and code are shown, once. */
async function make(page, look) {
  await page.focus('[data-testid=link-begin]')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.id.endsWith('-recipient'))
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=link-form] .fault')
  await look('link-form')
  await page.keyboard.type('M. Durand')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=link-url]')
  if (!(await page.textContent('[data-testid=link-url]')).endsWith(`/remise#${TOKEN}`)) throw new Error('the link is not whole')
  if ((await page.textContent('[data-testid=link-code]')) !== '7Q2MX-0KRTD') throw new Error('the code is not told')
  await page.waitForSelector('[data-testid=link-lives]:has-text("M. Durand")')
  if ((await page.$('[data-testid=link-begin]')) !== null) throw new Error('a second link beside one that lives')
  await look('link-made')
}

/** The handover of a package that was fetched says so already. */
async function prefilled(page) {
  await page.click('button:has-text("Inscrire la remise")')
  const medium = await page.inputValue('[data-testid=delivery-form] input[id$=-medium]')
  if (!medium.startsWith('lien à usage unique')) throw new Error(`the medium is "${medium}"`)
  await page.click('[data-testid=delivery-form] .actions button:not(.primary)')
}

async function revoke(page, look) {
  await page.focus('[data-testid=link-revoke]')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-testid=link-over]:has-text("retiré par la commune")')
  if ((await page.$('[data-testid=link-url]')) !== null) throw new Error('a link that is revoked is still shown')
  await look('link-revoked')
}

/** The page of the public role with its own words and policy; here somebody answers no, then yes. */
async function walkRecipient(browser, out) {
  const served = await recipientsServer()
  const context = await browser.newContext({ acceptDownloads: true })
  const page = await context.newPage()
  const faults = []
  page.on('pageerror', (error) => faults.push(`recipient: ${error.message}`))
  page.on('console', (message) => message.type() === 'error' && !message.text().includes('403') && faults.push(`recipient: ${message.text()}`))
  await page.goto(`${served.url}/remise#${TOKEN.slice(1)}`)
  await page.waitForSelector('#etat:has-text("Ce lien n\'est pas entier")')
  if (await page.isEnabled('#retirer')) throw new Error('half a link can be tried')
  await page.goto('about:blank')
  await page.goto(`${served.url}/remise#${TOKEN}`)
  await page.waitForSelector('#retirer:enabled')
  if (page.url().includes(TOKEN)) throw new Error('the token stays in the address')
  await page.focus('#code')
  await page.keyboard.type('00000 00000')
  await page.keyboard.press('Enter')
  await page.frameLocator('iframe').locator("text=Rien n'est remis").waitFor()
  faults.push(...(await axe(page, 'recipient')))
  await page.screenshot({ path: join(out, 'recipient.png'), fullPage: true })
  await page.fill('#code', '7Q2MX-0KRTD')
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#retirer')])
  if (readFileSync(await download.path(), 'utf8') !== 'sealed') throw new Error('the package is another one')
  const forms = served.posted.map((form) => Object.fromEntries(new URLSearchParams(form)))
  if (forms.length !== 2 || forms.some((form) => form.jeton !== TOKEN)) throw new Error(`posted: ${served.posted}`)
  if (served.asked.some((path) => path.includes(TOKEN))) throw new Error('the token was in an address')
  await context.close()
  served.close()
  return faults
}

async function recipientsServer() {
  const folder = fileURLToPath(new URL('../../crates/public/src/', import.meta.url))
  const source = readFileSync(join(folder, 'links.rs'), 'utf8')
  const policies = [...source.matchAll(/"(default-src [^"]+)"/g)].map(([, policy]) => policy.replace(/\\\n\s*/g, ''))
  if (policies.length !== 2) throw new Error('the public role has other policies than one for the page and one for its answers')
  const [asked, posted] = [[], []]
  const server = createServer(async (request, response) => {
    asked.push(request.url)
    const send = (status, type, policy, body, more = {}) => response.writeHead(status, { 'content-type': type, 'content-security-policy': policy, ...more }).end(body)
    const file = (name) => readFileSync(join(folder, 'links', name))
    if (request.url === '/remise') return send(200, 'text/html; charset=utf-8', policies[0], file('page.html'))
    if (request.url === '/remise/lien.js') return send(200, 'text/javascript; charset=utf-8', policies[0], file('lien.js'))
    if (request.url === '/remise/lien.css') return send(200, 'text/css; charset=utf-8', policies[0], file('lien.css'))
    if (request.url !== '/remise/paquet') return send(404, 'text/plain', policies[0], '')
    let form = ''
    for await (const part of request) form += part
    posted.push(form)
    if (!form.includes('7Q2MX')) return send(403, 'text/html; charset=utf-8', policies[1], file('no.html'))
    send(200, 'application/octet-stream', policies[1], 'sealed', { 'content-disposition': 'attachment; filename="vigie-remise.zip.age"' })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}`, asked, posted, close: () => server.close() }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2] ?? join(tmpdir(), 'vigie-console-screens')
  mkdirSync(out, { recursive: true })
  const browser = await launch()
  const faults = await walkLinks(browser, out).catch((error) => [error.message])
  await browser.close()
  for (const fault of faults) console.error(fault)
  process.exit(faults.length === 0 ? 0 : 1)
}
