// The end-to-end walk against the mock, and what only a mock can show: setup, an ended permit, a gap, a far seek.
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { ACCOUNTS, SETUP_TOKEN, startMock } from '../dev/mock.mjs'
import { codeAt } from './authenticator.mjs'
import { axe, launch, openPage } from './browser.mjs'
import { report, walkConsole } from './console.mjs'
import { walkAccess } from './access.mjs'
import { walkHolds } from './holds.mjs'
import { walkOpinions } from './opinions.mjs'
import { walkLinks } from './links.mjs'

const OUT = process.argv[2] ?? join(tmpdir(), 'vigie-console-screens')
const operator = { name: 'operateur', password: ACCOUNTS.operateur.password, secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' }
const administrator = { name: 'administrateur', password: ACCOUNTS.administrateur.password, secret: operator.secret }
const REASON = 'Accident signalé au carrefour.'
const H265 = 'video/mp4; codecs="hvc1.1.6.L93.B0"'
const SUB = { state: 'recording', codec: 'H264', width: 640, height: 360 }
const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Paris', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })

const mock = await startMock()
const result = process.argv.includes('--only-mock') ? { faults: [], notes: [] } : await walkConsole({ base: mock.url, operator, administrator, out: OUT, videos: 5 })
const browser = await launch()
for (const [name, act] of [['setup', setup], ['gap and far seek', gapAndSeek], ['ended permit', endedPermit], ['many connections', manyConnections], ['comes back', comesBack], ['unsupported replay', unsupportedReplay], ['sub-stream', subStream], ['sub-stream that is of no use', subStreamOfNoUse], ['hundreds of gaps', hundredsOfGaps], ['wrong clock', wrongClock], ['other purpose', otherPurpose], ['capacities', capacities], ['holds', async () => result.faults.push(...(await walkHolds(browser, OUT)))], ['links', async () => result.faults.push(...(await walkLinks(browser, OUT)))], ['opinions', async () => result.faults.push(...(await walkOpinions(browser, OUT)))], ['access', async () => result.faults.push(...(await walkAccess(browser, OUT)))]]) {
  try {
    await act()
    result.notes.push(name)
  } catch (error) {
    result.faults.push(`${name}: ${error.message}`)
  }
}
await browser.close()
mock.close()
console.log(`screens in ${OUT}`)
process.exit(report(result))

async function setup() {
  const { page, context, faults } = await openPage(browser, mock.url, {})
  await page.goto(`${mock.url}/#setup=${SETUP_TOKEN}`)
  await page.fill('#password', 'court')
  await page.click('button.primary')
  await page.waitForSelector('#password-fault')
  result.faults.push(...(await axe(page, 'setup (fr)')))
  await page.screenshot({ path: join(OUT, 'setup-fr.png'), fullPage: true })
  await page.fill('#password', 'quatre mots choisis ici')
  await page.fill('#again', 'quatre mots choisis ici')
  await page.click('button.primary')
  await page.waitForSelector('#code-fault')
  const drawn = await page.$eval('svg.qr path', (path) => path.getAttribute('d').length)
  if (drawn < 1000) throw new Error('the QR code is not drawn')
  const secret = await page.textContent('[data-testid=setup-key]')
  await page.fill('#code', '000000')
  await page.click('button.primary')
  await page.waitForSelector('.problem')
  await page.fill('#code', codeAt(secret, Math.floor(Date.now() / 30_000)))
  await page.click('button.primary')
  await page.waitForSelector('[data-testid=recovery-codes] li')
  result.faults.push(...(await axe(page, 'recovery codes (fr)')))
  await page.screenshot({ path: join(OUT, 'recovery-fr.png'), fullPage: true })
  if (page.url().includes(SETUP_TOKEN)) throw new Error('the token is still in the address')
  await page.click('button.primary')
  await page.waitForSelector('#name')
  if (await page.$('[data-testid=recovery-codes]') !== null) throw new Error('the recovery codes are still shown')
  const english = await openPage(browser, mock.url, { language: 'en', dark: true })
  await english.page.goto(`${mock.url}/#setup=used`)
  await english.page.waitForSelector('.problem')
  result.faults.push(...(await axe(english.page, 'setup (en, dark)')), ...faults, ...english.faults)
  await english.page.screenshot({ path: join(OUT, 'setup-en-dark.png'), fullPage: true })
  await english.context.close()
  await context.close()
}

/** From 8 s before a gap of 20 s: the player jumps over it, says so, and reads no further than it should. */
async function gapAndSeek() {
  const { page, context } = await openPage(browser, mock.url, {})
  await signIn(page, mock.url)
  const gap = Math.floor(mock.town.startedMs() / 1000) * 1000 - 10 * 60_000
  await page.goto(`${mock.url}/#/day/c1`)
  await page.waitForSelector('[data-testid=timeline]')
  await page.fill('#time', clock.format(gap - 8000))
  await page.press('#time', 'Enter')
  await page.click('.chosen button.primary')
  await state(page)
  await page.waitForFunction(() => document.querySelector('.replay .notice')?.textContent.includes('sautée'), null, { timeout: 20_000 })
  await page.screenshot({ path: join(OUT, 'replay-gap-fr.png'), fullPage: true })
  const ahead = await page.$eval('[data-testid=replay]', (video) => video.buffered.end(video.buffered.length - 1) - video.currentTime)
  if (ahead > 60) throw new Error(`${ahead.toFixed(0)} s are buffered ahead: no back-pressure`)
  const requests = []
  page.on('request', (request) => requests.push(request.url()))
  await page.fill('#time', clock.format(gap + 5 * 60_000))
  await page.press('#time', 'Enter')
  await page.click('.chosen button.primary')
  await page.waitForFunction((wanted) => document.querySelector('[data-testid=picture-time]')?.textContent?.startsWith(wanted), clock.format(gap + 5 * 60_000 + 2000).slice(0, 5))
  await page.waitForFunction(() => document.querySelector('[data-testid=replay]')?.currentTime > 1)
  if (!requests.some((url) => url.includes('/replay?'))) throw new Error('a seek outside memory asked for nothing')
  if (requests.some((url) => url.endsWith('/api/looks'))) throw new Error('a seek inside the open span asked for a new look')
  await context.close()
}

async function endedPermit() {
  const short = await startMock({ permitSeconds: 5 })
  const { page, context } = await openPage(browser, short.url, {})
  await openWall(page, short.url)
  await page.waitForFunction(() => document.querySelectorAll('video').length === 0 && document.querySelector('.notice') !== null, null, { timeout: 15_000 })
  await page.waitForSelector('.look-form')
  await context.close()
  short.close()
}

/** Without the shared response, five tiles play over HTTP/1.1 and a connection stays free. */
async function manyConnections() {
  const single = await startMock({ wall: false })
  for (const camera of single.town.cameras) camera.purposes = [5]
  const { page, context } = await openPage(browser, single.url, {})
  await openWall(page, single.url)
  await page.waitForFunction(() => [...document.querySelectorAll('.wall video')].filter((video) => video.currentTime > 0 && video.videoWidth > 0).length >= 5, null, { timeout: 30_000 })
  await page.waitForFunction(() => [...document.querySelectorAll('.overlay')].some((each) => each.textContent.includes('six liaisons')))
  await page.screenshot({ path: join(OUT, 'wall-http1-fr.png'), fullPage: true })
  await context.close()
  single.close()
}

/** After a cut of all live connections every tile plays again; a camera in H.265 says what to do. */
async function comesBack() {
  for (const wall of [true, false]) {
    const town = await startMock({ wall })
    town.town.clips[3].contentType = 'video/mp4; codecs="hvc1.1.6.L93.B0"'
    const { page, context } = await openPage(browser, town.url, {})
    await openWall(page, town.url)
    const playing = (count) =>
      page.waitForFunction((wanted) => [...document.querySelectorAll('.tile-state.on')].length === wanted, count, { timeout: 30_000 })
    await playing(4)
    await page.waitForSelector('.overlay:has-text("H.265")')
    await page.waitForSelector('[data-testid=unsupported][role=status]:has-text("entier et intact")')
    result.faults.push(...(await axe(page, 'wall with H.265 (fr)')))
    await page.screenshot({ path: join(OUT, 'wall-h265-fr.png'), fullPage: true })
    town.town.cutLive()
    await playing(0)
    await page.screenshot({ path: join(OUT, 'wall-cut-fr.png'), fullPage: true })
    await playing(4)
    const behind = await page.$$eval('.wall video', (all) => all.filter((video) => video.buffered.length > 0).map((video) => video.buffered.end(video.buffered.length - 1) - video.currentTime))
    if (Math.max(...behind) > 3.5) throw new Error(`a tile is ${Math.max(...behind).toFixed(1)} s behind`)
    await context.close()
    town.close()
  }
}

/** A replay that this browser cannot decode is words, never a black picture. */
async function unsupportedReplay() {
  const town = await startMock()
  town.town.clips[0].contentType = 'video/mp4; codecs="hvc1.1.6.L93.B0"'
  const { page, context } = await openPage(browser, town.url, { language: 'en' })
  await signIn(page, town.url)
  await page.goto(`${town.url}/#/day/c1`)
  await page.waitForSelector('[data-testid=timeline]')
  await page.fill('#time', clock.format(Date.now() - 5 * 60_000))
  await page.press('#time', 'Enter')
  await page.click('.chosen button.primary')
  await state(page)
  await page.waitForSelector('[data-testid=unsupported][role=alert]:has-text("whole and unharmed")')
  await page.waitForSelector('.screen .overlay:has-text("H.265")')
  result.faults.push(...(await axe(page, 'replay in H.265 (en)')))
  await page.screenshot({ path: join(OUT, 'replay-h265-en.png'), fullPage: true })
  await context.close()
  town.close()
}

/** Where the main stream is H.265 and there is a sub-stream, it plays by itself, known before or not, alone or on a wall. */
async function subStream() {
  for (const [wall, codec, look] of [[true, 'H265', { language: 'fr' }], [true, null, { language: 'en', dark: true }], [false, 'H265', { language: 'en', dark: true }], [false, null, { language: 'fr' }]]) {
    const town = await startMock({ wall })
    town.town.clips[3].contentType = H265
    town.town.clips[0].contentType = H265
    for (const camera of [town.town.cameras[0], town.town.cameras[3]]) Object.assign(camera, { codec, sub: SUB })
    const { page, context, faults } = await openPage(browser, town.url, look)
    const where = `sub-stream, ${wall ? 'wall' : 'single'}, ${codec ?? 'not known before'}`
    const asked = []
    page.on('request', (request) => asked.push(request.url()))
    await openWall(page, town.url)
    await page.waitForFunction(() => document.querySelectorAll('.tile-state.on').length === 5, null, { timeout: 30_000 })
    await page.waitForFunction(() => [...document.querySelectorAll('[data-testid=sub-stream]')].filter((each) => /640 × 360.*H.265/.test(each.textContent.replaceAll(/\s/g, ' '))).length === 2)
    if ((await page.$('[data-testid=unsupported]')) !== null) throw new Error(`${where}: the message stands beside moving pictures`)
    const of = asked.filter((url) => /\/media\/.*\/live/.test(url))
    if (codec !== null && of.some((url) => url.endsWith('/c1/live') || (wall && !url.includes('sub=')))) throw new Error(`${where}: the main stream was asked for in vain`)
    result.faults.push(...(await axe(page, where)), ...faults)
    await page.screenshot({ path: join(OUT, `wall-sub-stream-${wall}-${codec}.png`), fullPage: true })
    await replayOf(page, town.url, 'c1')
    await page.waitForFunction(() => document.querySelector('[data-testid=replay]')?.currentTime > 1)
    await page.waitForSelector('.replay [data-testid=sub-stream]:has-text("H.265")')
    result.faults.push(...(await axe(page, `${where}: replay`)))
    await context.close()
    town.close()
  }
}

/** A sub-stream in H.265 too: the message stays and says so; one that is added meanwhile plays by itself. */
async function subStreamOfNoUse() {
  const town = await startMock({ wall: false })
  town.town.clips[0].contentType = H265
  town.town.clipOf = (camera) => town.town.clips[Number(camera.slice(1)) - 1]
  Object.assign(town.town.cameras[0], { codec: 'H265', sub: { ...SUB, codec: null } })
  const { page, context } = await openPage(browser, town.url, {})
  await openWall(page, town.url)
  await page.waitForSelector('[data-testid=unsupported]:has-text("n’aide pas ici")')
  delete town.town.clipOf
  Object.assign(town.town.cameras[0], { sub: null })
  await page.waitForSelector('[data-testid=unsupported]:has-text("Si la caméra a un flux secondaire")', { timeout: 20_000 })
  Object.assign(town.town.cameras[0], { sub: SUB })
  await page.waitForSelector('[data-testid=sub-stream]:has-text("H.265")', { timeout: 20_000 })
  await context.close()
  town.close()
}

/** Under the wall's reason, which holds. */
async function replayOf(page, url, camera) {
  await page.goto(`${url}/#/day/${camera}`)
  await page.waitForSelector('[data-testid=timeline]')
  await page.fill('#time', clock.format(Date.now() - 5 * 60_000))
  await page.press('#time', 'Enter')
  await page.click('.chosen button.primary')
}

/** A camera without the purpose of the reason: one question, with its cause and the camera's own purposes. */
async function otherPurpose() {
  const { page, context, faults } = await openPage(browser, mock.url, {})
  await openWall(page, mock.url)
  await replayOf(page, mock.url, 'c6')
  await page.waitForSelector('[data-testid=reason-cause]:has-text("Autre finalité")')
  const offered = await page.$$eval('button[data-purpose]', (all) => all.map((each) => each.dataset.purpose))
  if (offered.join() !== '11') throw new Error(`the purposes ${offered} are offered, the camera has 11`)
  if ((await page.evaluate(() => document.activeElement?.id)) !== 'reason') throw new Error('the question does not wait for its answer')
  result.faults.push(...(await axe(page, 'other purpose (fr)')), ...faults)
  await page.screenshot({ path: join(OUT, 'other-purpose-fr.png'), fullPage: true })
  await page.keyboard.type('mc-2042')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('[data-testid=replay]')?.currentTime > 0)
  await context.close()
}

/** Each capacity is told what it may do; one that opens no picture has no door. */
async function capacities() {
  for (const [name, looks] of [['dpo', false], ['inspecteur', false], ['administrateur', false], ['police', true]]) {
    const { page, context } = await openPage(browser, mock.url, {})
    await signIn(page, mock.url, name)
    const hasWall = (await page.$('nav a[href="#/live"]')) !== null
    if (hasWall !== looks) throw new Error(`${name}: the way to the wall is ${hasWall ? '' : 'not '}shown`)
    await page.goto(`${mock.url}/#/live`)
    await page.waitForSelector(looks ? '#reason' : '[data-testid=not-yours]')
    await page.goto(`${mock.url}/#/account`)
    await page.waitForSelector('h2')
    result.faults.push(...(await axe(page, `account of ${name}`)))
    await page.screenshot({ path: join(OUT, `account-${name}-fr.png`), fullPage: true })
    await context.close()
  }
}

/** Of a camera that flaps the table shows a few gaps an hour, and the keyboard reaches all; only what lasts has a remedy. */
async function hundredsOfGaps() {
  const { page, context } = await openPage(browser, mock.url, { width: 400 })
  await signIn(page, mock.url)
  await page.goto(`${mock.url}/#/day/c5`)
  await page.waitForFunction(() => [...document.querySelectorAll('td.gaps > p')].some((each) => each.textContent.includes('en cours')))
  const remedies = await page.$$eval('td.gaps p', (all) => all.filter((each) => each.textContent.includes('Vérifiez')).length)
  if (remedies !== 1) throw new Error(`${remedies} gaps have a remedy, and one lasts`)
  await page.goto(`${mock.url}/#/day/c5/${yesterday()}`)
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 24)
  const seen = () => page.$$eval('tbody tr:first-child td.gaps p', (all) => all.filter((each) => each.checkVisibility()).length)
  if ((await seen()) !== 3) throw new Error(`${await seen()} gaps of an hour are shown unasked`)
  await page.focus('tbody tr:first-child summary')
  await page.keyboard.press('Enter')
  if ((await seen()) < 100) throw new Error('Enter does not unfold the rest')
  await page.keyboard.press('Enter')
  result.faults.push(...(await axe(page, 'hundreds of gaps (fr)')))
  await page.screenshot({ path: join(OUT, 'day-flapping-fr.png'), fullPage: true })
  await context.close()
}

/** On a computer three days behind, yesterday's replay has its whole length and the permit its ten minutes. */
async function wrongClock() {
  const { page, context } = await openPage(browser, mock.url, {})
  await page.addInitScript(() => {
    const Real = Date
    globalThis.Date = class extends Real {
      constructor(...values) {
        if (values.length === 0) super(Date.now())
        else super(...values)
      }
      static now() {
        return Real.now() - 3 * 86_400_000
      }
    }
  })
  await signIn(page, mock.url)
  await page.goto(`${mock.url}/#/day/c2/${yesterday()}`)
  await page.waitForSelector('[data-testid=timeline]')
  await page.fill('#time', '12:00:00')
  await page.press('#time', 'Enter')
  await page.click('.chosen button.primary')
  await page.fill('#reason', REASON)
  const [request] = await Promise.all([page.waitForRequest((each) => each.url().endsWith('/api/looks')), page.click('button[data-purpose="5"]')])
  const { from, to } = request.postDataJSON()
  if (Date.parse(to) - Date.parse(from) !== 30 * 60_000) throw new Error(`a replay of ${Date.parse(to) - Date.parse(from)} ms was asked for`)
  await page.waitForSelector('.countdown')
  const left = await page.textContent('.countdown')
  if (!/^(10:0[01]|9:\d\d)$/.test(left?.trim() ?? '')) throw new Error(`the countdown begins at ${left}`)
  await context.close()
}

/** In Paris, as the address has it. */
function yesterday() {
  return new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Paris' }).format(Date.now() - 86_400_000)
}

async function openWall(page, url) {
  await signIn(page, url)
  await state(page)
  await page.waitForSelector('.wall')
}

async function state(page) {
  await page.fill('#reason', REASON)
  await page.click('button[data-purpose="5"]')
}

async function signIn(page, url, name = operator.name) {
  await page.goto(url)
  await page.fill('#name', name)
  await page.fill('#password', ACCOUNTS[name].password)
  await page.fill('#code', '123456')
  await page.click('button.primary')
  await page.waitForSelector('.account .strong')
}
