// One step of the simulator's tour in headless Chromium: signs in, does what the step says, checks it, takes a screenshot.
//
// node e2e/tour.mjs STEP ARGUMENTS…    VIGIE_ADDRESS, VIGIE_ACCOUNT, VIGIE_PASSWORD, VIGIE_CODE, VIGIE_OUT
//   wall NAME VIDEOS REASON · refused NAME REASON · replay NAME CAMERA DATE FROM UNTIL REASON · day NAME CAMERA DATE TIME REASON
//   health NAME · page
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { axe, launch, openPage } from './browser.mjs'
import { askLook } from './door.mjs'

const { VIGIE_ADDRESS: base, VIGIE_ACCOUNT: account, VIGIE_PASSWORD: password, VIGIE_CODE: code, VIGIE_OUT: out } = process.env
const PURPOSE = 5
/** A screenshot with fewer colours than this shows nothing. */
const COLOURS_MIN = 60

const steps = { wall, refused, replay, day, health, page: tourPage }
const [name, ...words] = process.argv.slice(2)
const browser = await launch()
try {
  await steps[name](...words)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  await browser.close()
}

async function wall(file, videos, reason) {
  await signedIn(async (page) => {
    await page.goto(`${base}/#/live`)
    await state(page, reason)
    await page.waitForSelector('.wall')
    await page.waitForFunction((wanted) => [...document.querySelectorAll('.wall video')].filter((video) => video.videoWidth > 0 && video.currentTime > 0.5).length >= wanted, Number(videos), { timeout: 40_000 })
    await shows(page, '.wall video')
    await picture(page, file)
  })
}

/** Who may not look is told why by the gate, with the article. */
async function refused(file, reason) {
  await signedIn(async (page) => {
    await page.goto(`${base}/#/live`)
    await page.waitForSelector('[data-testid=not-yours]')
    const { status, body } = await askLook(page, PURPOSE, reason)
    expect(status === 403 && body.reasons.length > 0, `the administrator who asks past the console gets ${status}`)
    expect((await page.$$('video')).length === 0, 'a video element exists after a refusal')
    await page.evaluate(() => scrollTo(0, 0))
    await picture(page, file, false)
  })
}

/** Opens the span at `from` and stops the picture at `until` (both HH:MM:SS). */
async function replay(file, camera, date, from, until, reason) {
  await signedIn(async (page) => {
    await instant(page, camera, date, from)
    await page.click('.chosen button.primary')
    await page.waitForSelector('.look-form')
    await state(page, reason)
    await page.waitForFunction((wanted) => (document.querySelector('[data-testid=picture-time]')?.textContent ?? '') >= wanted, until, { timeout: 40_000, polling: 50 })
    await page.click('.controls button')
    await page.waitForFunction(() => document.querySelector('[data-testid=replay]').paused)
    await shows(page, '[data-testid=replay]')
    await page.evaluate(() => document.querySelector('[data-testid=replay]').scrollIntoView({ block: 'center' }))
    await picture(page, file, false)
  })
}

/** The day at an instant that cannot be replayed any more. */
async function day(file, camera, date, time) {
  await signedIn(async (page) => {
    await instant(page, camera, date, time)
    expect((await page.$('.chosen button.primary')) === null, 'a destroyed instant is offered for replay')
    await picture(page, file)
  })
}

async function health(file) {
  await signedIn(async (page) => {
    await page.goto(`${base}/#/health`)
    await page.waitForSelector('[data-testid=bytes-past-deadline]')
    const past = (await page.textContent('[data-testid=bytes-past-deadline]'))?.trim()
    expect(past === '0', `bytes past their deadline: ${past}`)
    await picture(page, file)
  })
}

/** The tour's own page, offline. */
async function tourPage() {
  const address = pathToFileURL(join(out, 'index.html')).href
  const { page, context, faults } = await openPage(browser, address, {})
  await page.goto(address)
  faults.push(...(await axe(page, 'index.html')))
  for (const width of [1360, 680, 320]) {
    await page.setViewportSize({ width, height: 800 })
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    if (over > 1) faults.push(`index.html: ${over} px too wide for a screen of ${width} px`)
  }
  const files = await page.$$eval('img', (all) => all.map((image) => ({ file: image.getAttribute('src'), width: image.naturalWidth })))
  for (const { file, width } of files) {
    if (width === 0) faults.push(`${file} does not load`)
    else await notBlank(page, file)
  }
  await context.close()
  expect(faults.length === 0, faults.join(' | '))
}

async function instant(page, camera, date, time) {
  await page.goto(`${base}/#/day/${camera}/${date}`)
  await page.waitForSelector('[data-testid=timeline]')
  await page.fill('#time', time)
  await page.press('#time', 'Enter')
  await page.waitForSelector('.chosen')
}

async function state(page, reason) {
  await page.waitForSelector('.look-form')
  await page.fill('#reason', reason)
  await page.click(`button[data-purpose="${PURPOSE}"]`)
}

/** A page of somebody whose computer has another time than the town: the console goes by the server's. */
async function signedIn(act) {
  const { page, context, faults } = await openPage(browser, base, {})
  page.setDefaultTimeout(20_000)
  try {
    await page.goto(base)
    await page.fill('#name', account)
    await page.fill('#password', password)
    await page.fill('#code', code)
    await page.click('button.primary')
    await page.waitForSelector('.account .strong')
    await act(page)
    expect(faults.length === 0, faults.join(' | '))
  } catch (error) {
    await page.screenshot({ path: join(out, `failure-${name}.png`), fullPage: true }).catch(() => {})
    throw error
  } finally {
    await context.close()
  }
}

async function picture(page, file, fullPage = true) {
  await page.waitForTimeout(300)
  await page.screenshot({ path: join(out, `${file}.png`), fullPage })
  await notBlank(page, `${file}.png`)
}

/** Every video shows a picture, not one colour. */
async function shows(page, selector) {
  const colours = await page.$$eval(selector, (all) =>
    all.map((video) => {
      const canvas = document.createElement('canvas')
      ;[canvas.width, canvas.height] = [160, 90]
      const context = canvas.getContext('2d')
      context.drawImage(video, 0, 0, 160, 90)
      return new Set(new Uint32Array(context.getImageData(0, 0, 160, 90).data.buffer)).size
    }),
  )
  expect(colours.length > 0 && Math.min(...colours) >= COLOURS_MIN, `a video shows almost nothing: ${colours.join(', ')} colours`)
}

async function notBlank(page, file) {
  const bytes = readFileSync(join(out, file)).toString('base64')
  const colours = await page.evaluate(async (data) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], { type: 'image/png' }))
    const canvas = document.createElement('canvas')
    ;[canvas.width, canvas.height] = [image.width, image.height]
    const context = canvas.getContext('2d')
    context.drawImage(image, 0, 0)
    return new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size
  }, bytes)
  expect(colours >= COLOURS_MIN, `${file} is almost blank: ${colours} colours`)
}

function expect(holds, message) {
  if (!holds) throw new Error(message)
}
