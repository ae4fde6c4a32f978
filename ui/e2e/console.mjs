// Walks through the whole console against a running Vigie and fails with a clear message at the first thing wrong.
//
// node e2e/console.mjs BASE_URL --operator NAME PASSWORD --administrator NAME PASSWORD --out DIR
//   [--videos 6] [--purpose 5] [--reason TEXT] [--insecure] [--seconds 60]
// The password may be `-`: it is then read from VIGIE_OPERATOR_PASSWORD or VIGIE_ADMINISTRATOR_PASSWORD. The secret of the
// second factor is always read from VIGIE_OPERATOR_SECRET or VIGIE_ADMINISTRATOR_SECRET.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unusedCode } from './authenticator.mjs'
import { axe, launch, openPage } from './browser.mjs'
import { askLook, door } from './door.mjs'

export const REASON = 'Essai de la console : contrôle du fonctionnement des caméras.'

/**
 * Runs every screen in French (light) and English (dark), plus one path with the keyboard alone.
 * Resolves to {faults: [text], notes: [text]}; an empty `faults` is success.
 */
export async function walkConsole(options) {
  const walk = { videos: 1, purpose: 5, reason: REASON, seconds: 60, insecure: false, ...options, faults: [], notes: [] }
  mkdirSync(walk.out, { recursive: true })
  const browser = await launch()
  try {
    for (const look of [{ language: 'fr', dark: false }, { language: 'en', dark: true }]) {
      await part(walk, `signed out, ${look.language}`, () => signedOut(browser, walk, look))
      await part(walk, `operator, ${look.language}`, () => operator(browser, walk, look))
      await part(walk, `administrator, ${look.language}`, () => administrator(browser, walk, look))
    }
    await part(walk, 'keyboard alone', () => keyboardAlone(browser, walk))
    await part(walk, 'the door', () => withPage(browser, walk, { language: 'fr', dark: false }, (page) => door(page, walk, { signIn, playing, inspect }, walk.operator)))
  } finally {
    await browser.close()
  }
  return { faults: walk.faults, notes: walk.notes }
}

async function signedOut(browser, walk, look) {
  await withPage(browser, walk, look, async (page) => {
    await page.goto(walk.base)
    await page.waitForSelector('#password')
    await inspect(page, walk, look, 'sign-in')
    await page.goto(`${walk.base}/#/about`)
    await page.waitForSelector('.prose')
    await inspect(page, walk, look, 'about')
    await page.goto(`${walk.base}/#/`)
    await page.fill('#name', 'personne')
    await page.fill('#password', 'un mot de passe faux')
    await page.fill('#code', '123456')
    await page.click('button.primary')
    await page.waitForSelector('.problem')
    await inspect(page, walk, look, 'sign-in-refused')
  })
}

async function operator(browser, walk, look) {
  await withPage(browser, walk, look, async (page) => {
    await signIn(page, walk, walk.operator)
    await page.goto(`${walk.base}/#/live`)
    await page.waitForSelector('.look-form')
    expect((await page.$$('video')).length === 0, 'a video element exists before purpose and reason are stated')
    await inspect(page, walk, look, 'wall-reason')
    await state(page, walk)
    await page.waitForSelector('.wall')
    await playing(page, walk, '.wall video', walk.videos)
    await inspect(page, walk, look, 'wall')
    await page.click('.tile .picture')
    await page.waitForSelector('.tile.large')
    await inspect(page, walk, look, 'wall-large')
    await page.keyboard.press('Escape')
    await day(page, walk, look)
    await page.goto(`${walk.base}/#/health`)
    await page.waitForSelector('[data-testid=bytes-past-deadline]')
    const past = await page.textContent('[data-testid=bytes-past-deadline]')
    expect(past?.trim() === '0', `bytes past their deadline: ${past}, must be 0`)
    await inspect(page, walk, look, 'health')
  })
}

/** With its own reason: that of the wall is ended first. */
async function day(page, walk, look) {
  const address = await page.getAttribute('.tile a', 'href')
  await page.click('.reason-end button')
  await page.waitForSelector('.look-form')
  await page.goto(`${walk.base}/${address}`)
  await page.waitForSelector('[data-testid=timeline]')
  await inspect(page, walk, look, 'day')
  await chooseFootage(page)
  await page.waitForSelector('.look-form')
  expect((await page.$$('video')).length === 0, 'a video element exists before a replay is agreed')
  await inspect(page, walk, look, 'day-reason')
  await state(page, walk)
  await playing(page, walk, '[data-testid=replay]', 1)
  await page.waitForFunction(() => /\d\d:\d\d:\d\d/.test(document.querySelector('[data-testid=picture-time]')?.textContent ?? ''))
  const saving = await page.$eval('[data-testid=replay]', (video) => video.controls || !video.controlsList.contains('nodownload'))
  expect(!saving, 'the replay offers native controls or a download')
  await inspect(page, walk, look, 'replay')
  await replayControls(page)
}

/** The instant proposed, or else the next recorded one, or else the table's last hour. */
export async function chooseFootage(page) {
  if ((await page.$('.chosen button.primary')) === null && (await page.$('.chosen button')) !== null) await page.click('.chosen button')
  if ((await page.$('.chosen button.primary')) !== null) return page.click('.chosen button.primary')
  const hours = await page.$$('td button')
  expect(hours.length > 0, 'the day has no recorded instant to replay')
  await hours.at(-1).click()
}

async function replayControls(page) {
  const [play, , , back, forward] = await page.$$('.controls button')
  const time = () => page.$eval('[data-testid=replay]', (video) => video.currentTime)
  await play.click()
  await page.waitForFunction(() => document.querySelector('[data-testid=replay]').paused)
  const before = await time()
  await forward.click()
  await page.waitForTimeout(400)
  const after = await time()
  expect(after > before && after - before < 0.5, `one picture forward moved by ${(after - before).toFixed(3)} s`)
  await back.click()
  await page.waitForTimeout(400)
  expect((await time()) < after, 'one picture back did not move')
  await page.check('input[name=speed][value="4"]')
  await play.click()
  await page.waitForFunction(() => document.querySelector('[data-testid=replay]').playbackRate === 4)
}

async function administrator(browser, walk, look) {
  if (walk.administrator === undefined) return
  await withPage(browser, walk, look, async (page) => {
    await signIn(page, walk, walk.administrator)
    await page.goto(`${walk.base}/#/live`)
    await page.waitForSelector('[data-testid=not-yours]')
    expect((await page.$('.look-form')) === null, 'an administrator is asked for a reason that opens nothing')
    const { status, body } = await askLook(page, walk.purpose, walk.reason)
    expect(status === 403 && body.reasons.length > 0, `an administrator who asks past the console gets ${status}`)
    expect((await page.$$('video')).length === 0, 'an administrator was given a video element')
    await inspect(page, walk, look, 'wall-administrator')
    await page.goto(`${walk.base}/#/day`)
    await page.waitForSelector('[data-testid=timeline]')
    expect((await page.$('.chosen button.primary, td button')) === null, 'an administrator is offered a replay')
    await inspect(page, walk, look, 'day-administrator')
    await page.goto(`${walk.base}/#/health`)
    await page.waitForSelector('[data-testid=bytes-past-deadline]')
    await page.goto(`${walk.base}/#/account`)
    await page.waitForSelector('[data-testid=passkeys], .notice, #label')
    await inspect(page, walk, look, 'account-administrator')
  })
}

/** Signs in, states a reason, enlarges a camera, moves on the timeline and replays: never a mouse. */
async function keyboardAlone(browser, walk) {
  await withPage(browser, walk, { language: 'fr', dark: false }, async (page) => {
    await page.goto(walk.base)
    await page.waitForSelector('#password')
    await tabTo(page, '#name')
    await page.keyboard.type(walk.operator.name)
    await tabTo(page, '#password')
    await page.keyboard.type(walk.operator.password)
    await tabTo(page, '#code')
    await page.keyboard.type(await unusedCode(walk.operator))
    await page.keyboard.press('Enter')
    await page.waitForSelector('.look-form')
    await keyboardReason(page, walk)
    await playing(page, walk, '.wall video', 1)
    await tabTo(page, '.tile .picture')
    await visibleFocus(page)
    await page.keyboard.press('Enter')
    await page.waitForSelector('.tile.large')
    await page.keyboard.press('Escape')
    await page.waitForSelector('.tile.large', { state: 'detached' })
    await tabTo(page, '.tile a')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-testid=timeline]')
    await tabTo(page, '[data-testid=timeline]')
    await visibleFocus(page)
    const value = () => page.getAttribute('[data-testid=timeline]', 'aria-valuenow').then(Number)
    const before = await value()
    await page.keyboard.press('ArrowLeft')
    expect((await value()) < before, 'the left arrow does not move the timeline')
    await page.keyboard.press('ArrowRight')
    const offered = await page.waitForSelector('.chosen button', { timeout: 5000 }).catch(() => null)
    expect(offered !== null, `nothing to replay is offered beside the timeline: ${await page.textContent('.chosen')}`)
    await page.evaluate(() => document.querySelector('[data-testid=timeline]').focus())
    if ((await page.$('.chosen button.primary')) === null) {
      await tabTo(page, '.chosen button')
      await page.keyboard.press('Enter')
    }
    await tabTo(page, '.chosen button.primary')
    await page.keyboard.press('Enter')
    await playing(page, walk, '[data-testid=replay]', 1)
  })
}

async function keyboardReason(page, walk) {
  await tabTo(page, '#reason')
  await page.keyboard.press('Control+A')
  await page.keyboard.type(walk.reason)
  for (let press = 0; press < 12; press += 1) {
    await page.keyboard.press(press === 0 ? 'Tab' : 'ArrowDown')
    if (await page.evaluate((wanted) => document.activeElement?.dataset.purpose === wanted, String(walk.purpose))) break
  }
  await visibleFocus(page)
  await page.keyboard.press('Enter')
}

async function tabTo(page, selector) {
  for (let press = 0; press < 80; press += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`\`${selector}\` cannot be reached with the Tab key`)
}

async function visibleFocus(page) {
  const outline = await page.evaluate(() => {
    const style = getComputedStyle(document.activeElement)
    return style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth)
  })
  expect(outline >= 2, 'the focused element shows no outline')
}

export async function signIn(page, walk, account) {
  await page.goto(walk.base)
  await page.fill('#name', account.name)
  await page.fill('#password', account.password)
  await page.fill('#code', await unusedCode(account))
  await page.click('button.primary')
  await page.waitForSelector('.account .strong')
}

export async function state(page, walk) {
  await page.fill('#reason', walk.reason)
  await page.click(`button[data-purpose="${walk.purpose}"]`)
}

/** Waits until at least `wanted` videos decode pictures and their time goes on. */
export async function playing(page, walk, selector, wanted) {
  const sample = () =>
    page.$$eval(selector, (all) => all.map((video) => ({ time: video.currentTime, width: video.videoWidth, camera: video.dataset.camera ?? '' })))
  const until = Date.now() + walk.seconds * 1000
  let going = []
  while (Date.now() < until) {
    const first = await sample()
    await page.waitForTimeout(1500)
    const second = await sample()
    going = second.filter((video, index) => video.width > 0 && video.time > (first[index]?.time ?? Infinity))
    if (going.length >= wanted) {
      walk.notes.push(`${selector}: ${going.length} of ${second.length} play`)
      return
    }
  }
  const words = await page.$$eval('.overlay, .problem', (all) => all.map((each) => each.textContent.trim()).join(' | '))
  throw new Error(`only ${going.length} of the ${wanted} videos wanted play (${selector}); the screen says: ${words}`)
}

/** Screenshot, axe, no sideways scrolling at 200 % and on a narrow screen. */
export async function inspect(page, walk, look, name) {
  const where = `${name} (${look.language}${look.dark ? ', dark' : ''})`
  const language = await page.getAttribute('html', 'lang')
  if (language !== look.language) walk.faults.push(`${where}: lang is \`${language}\``)
  await page.screenshot({ path: join(walk.out, `${name}-${look.language}${look.dark ? '-dark' : ''}.png`), fullPage: true })
  walk.faults.push(...(await axe(page, where)))
  const size = page.viewportSize()
  for (const width of [680, 320]) {
    await page.setViewportSize({ width, height: 800 })
    await page.waitForTimeout(60)
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    if (over > 1) walk.faults.push(`${where}: ${over} px too wide for a screen of ${width} px`)
    if (width === 680 && !look.dark) await page.screenshot({ path: join(walk.out, `${name}-${look.language}-200.png`) })
  }
  await page.setViewportSize(size)
}

async function withPage(browser, walk, look, act) {
  const { page, context, faults } = await openPage(browser, walk.base, { ...look, insecure: walk.insecure })
  page.setDefaultTimeout(20_000)
  try {
    await act(page)
  } catch (error) {
    await page.screenshot({ path: join(walk.out, `failure-${walk.now.replace(/\W+/g, '-')}.png`), fullPage: true }).catch(() => {})
    throw error
  } finally {
    walk.faults.push(...faults.map((fault) => `${walk.now}: ${fault}`))
    await context.close()
  }
}

async function part(walk, name, act) {
  walk.now = name
  try {
    await act()
  } catch (error) {
    walk.faults.push(`${name}: ${error.message}`)
  }
}

function expect(holds, message) {
  if (!holds) throw new Error(message)
}

function readArguments(words) {
  const options = { base: words[0]?.replace(/\/$/, '') }
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at]
    if (word === '--operator' || word === '--administrator') {
      const role = word.slice(2)
      const password = words[at + 2] === '-' ? process.env[`VIGIE_${role.toUpperCase()}_PASSWORD`] : words[at + 2]
      if (password === undefined) throw new Error(`no password for --${role}: give it, or \`-\` and VIGIE_${role.toUpperCase()}_PASSWORD`)
      const secret = process.env[`VIGIE_${role.toUpperCase()}_SECRET`]
      if (secret === undefined) throw new Error(`no secret for --${role}: VIGIE_${role.toUpperCase()}_SECRET`)
      options[role] = { name: words[at + 1], password, secret }
      at += 2
    } else if (word === '--insecure') options.insecure = true
    else if (word === '--videos' || word === '--purpose' || word === '--seconds') options[word.slice(2)] = Number(words[(at += 1)])
    else if (word === '--out' || word === '--reason') options[word.slice(2)] = words[(at += 1)]
    else throw new Error(`unknown option \`${word}\``)
  }
  if (options.base === undefined || options.operator === undefined || options.out === undefined) {
    throw new Error('usage: console.mjs BASE_URL --operator NAME PASSWORD [--administrator NAME PASSWORD] --out DIR')
  }
  return options
}

export function report({ faults, notes }) {
  for (const note of notes) console.log(`ok: ${note}`)
  for (const fault of faults) console.error(`FAULT: ${fault}`)
  console.log(faults.length === 0 ? 'console: everything holds' : `console: ${faults.length} faults`)
  return faults.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = report(await walkConsole(readArguments(process.argv.slice(2))))
  } catch (error) {
    console.error(`console: ${error.message}`)
    process.exitCode = 2
  }
}
