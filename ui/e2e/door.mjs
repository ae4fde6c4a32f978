// The door to pictures: actions and keys from the wall to the first picture, counted by the browser itself, and what a
// reason that holds spares. An action is a click, a button pressed, or a field written in; a key is a key pressed.
export const ACTIONS_MAX = 2
export const KEYS_MAX = 12
/** As a centre's own register numbers an event. */
const CODE = 'mc-2041'

/** By keyboard alone, by mouse, under a reason that holds, and refused without content. `tools`: signIn, playing, inspect. */
export async function door(page, walk, tools, account) {
  await page.addInitScript(countInBrowser)
  await tools.signIn(page, walk, account)
  await page.waitForSelector('#reason')
  await refusedWithoutContent(page, walk, tools)
  await byKeyboard(page, walk, tools)
  await stop(page)
  await byMouse(page, walk, tools)
  await tools.inspect(page, walk, { language: 'fr', dark: false }, 'door-wall')
  await whileItHolds(page, walk, tools)
  await stop(page)
  await tools.inspect(page, walk, { language: 'fr', dark: false }, 'door-recent')
  await byRecentReason(page, walk, tools)
  await stop(page)
}

/** Runs in the page, before its own scripts. */
function countInBrowser() {
  let [keys, actions, fields] = [0, 0, new Set()]
  globalThis.doorReset = () => ([keys, actions, fields] = [0, 0, new Set()])
  globalThis.doorCount = () => ({ keys, actions })
  addEventListener('keydown', () => (keys += 1), true)
  addEventListener('click', () => (actions += 1), true)
  addEventListener('input', ({ target }) => {
    if (fields.has(target)) return
    fields.add(target)
    actions += 1
  }, true)
}

async function byKeyboard(page, walk, tools) {
  await page.evaluate(() => doorReset())
  await page.keyboard.type(CODE)
  await page.keyboard.press('Enter')
  await page.keyboard.press(String(walk.purpose))
  await tools.playing(page, walk, '.wall video', 1)
  await within(page, walk, 'by keyboard alone', ACTIONS_MAX, KEYS_MAX)
}

async function byMouse(page, walk, tools) {
  await page.evaluate(() => doorReset())
  await page.keyboard.type(CODE)
  await page.click(`button[data-purpose="${walk.purpose}"]`)
  await tools.playing(page, walk, '.wall video', 1)
  await within(page, walk, 'by mouse', ACTIONS_MAX, KEYS_MAX)
}

async function byRecentReason(page, walk, tools) {
  await page.waitForSelector('[data-testid=recent-reason]')
  const offered = await page.$$eval('[data-testid=recent-reason]', (all) => all.length)
  expect(offered === 1, `the same reason is offered ${offered} times`)
  await page.evaluate(() => doorReset())
  await page.click('[data-testid=recent-reason]')
  await tools.playing(page, walk, '.wall video', 1)
  await within(page, walk, 'by a recent reason', 1, 0)
}

/** From the wall to a camera's past, to another camera's, back to the wall: nothing but the way itself. */
async function whileItHolds(page, walk, tools) {
  const looks = []
  const hear = async (response) => {
    if (response.request().method() === 'POST' && response.url().endsWith('/api/looks')) looks.push({ ...(await response.json()), status: response.status() })
  }
  page.on('response', hear)
  await page.waitForSelector('[data-testid=reason-holds]')
  await page.click('.tile a')
  await page.waitForSelector('[data-testid=timeline]')
  await page.waitForSelector('.chosen button')
  if ((await page.$('.chosen button.primary')) === null) await page.click('.chosen button')
  await page.evaluate(() => doorReset())
  await page.click('.chosen button.primary')
  await tools.playing(page, walk, '[data-testid=replay]', 1)
  await within(page, walk, 'a replay while the reason holds', 1, 0)
  const first = await page.$eval('#camera', (select) => select.value)
  const other = await page.$$eval('#camera option', (all, now) => all.map((each) => each.value).find((value) => value !== now), first)
  await page.evaluate(() => doorReset())
  await page.selectOption('#camera', other)
  await page.waitForFunction((wanted) => location.hash.includes(wanted) && document.querySelector('[data-testid=replay]') === null, other)
  await tools.playing(page, walk, '[data-testid=replay]', 1)
  await within(page, walk, 'another camera while the reason holds', 1, 0)
  await page.evaluate(() => doorReset())
  await page.click('nav a[href="#/live"]')
  await tools.playing(page, walk, '.wall video', 1)
  await within(page, walk, 'back to the wall while the reason holds', 1, 0)
  page.off('response', hear)
  expect(looks.length === 3 && looks.every((look) => look.status === 201), `${looks.length} looks: ${looks.map((look) => look.status)}`)
  for (const look of looks) {
    expect(look.reason === CODE && look.purpose === walk.purpose, 'an entry has another reason or purpose than was stated')
    expect(Number.isInteger(look.stated) && look.stated < look.entry, 'an entry does not name the one where its reason was stated')
  }
}

async function refusedWithoutContent(page, walk, tools) {
  for (const nothing of ['', 'x', '....', '....................']) {
    await page.fill('#reason', nothing)
    await page.focus('#reason')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#reason-fault')
    const said = await page.textContent('#reason-fault')
    expect((said ?? '').trim().length > 30, `\`${nothing}\` is refused without a sentence`)
  }
  await tools.inspect(page, walk, { language: 'fr', dark: false }, 'door-fault')
  const { status, body } = await askLook(page, walk.purpose, '....................')
  expect(status === 403 && body.reasons.some((each) => each.rule === 'reason-says-something' && each.text_fr.length > 30), 'the gate takes a row of dots for a reason')
  await page.fill('#reason', '')
  await page.focus('#reason')
}

/** A live look at all cameras as any program could ask for it, past the console's own form. */
export function askLook(page, purpose, reason) {
  return page.evaluate(async ([purpose, reason]) => {
    const cameras = (await (await fetch('/api/cameras')).json()).map((camera) => camera.id)
    const headers = { 'content-type': 'application/json', 'vigie-request': '1' }
    const response = await fetch('/api/looks', { method: 'POST', headers, body: JSON.stringify({ kind: 'live', cameras, purpose, reason }) })
    return { status: response.status, body: await response.json() }
  }, [purpose, reason])
}

/** Ends the look and its reason. */
async function stop(page) {
  await page.click('.reason-end button')
  await page.waitForSelector('#reason')
}

async function within(page, walk, how, actionsMax, keysMax) {
  const { keys, actions } = await page.evaluate(() => doorCount())
  expect((await page.$('.look-form')) === null, `${how}: the form still stands`)
  walk.notes.push(`${how}: ${actions} actions, ${keys} keys to a picture`)
  expect(actions <= actionsMax && keys <= keysMax, `${how}: ${actions} actions and ${keys} keys to a picture; ${actionsMax} and ${keysMax} are allowed`)
}

function expect(holds, message) {
  if (!holds) throw new Error(message)
}
