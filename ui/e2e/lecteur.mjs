// The player of a package in a real browser, opened from disk: plays, finds an instant, steps, saves, and says what is not intact.
//
// node e2e/lecteur.mjs [OUT]     needs ui/dist-lecteur (npm run build:lecteur), ffmpeg and Chromium; pictures to look at in OUT
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { axe, launch } from './browser.mjs'
import { FIRST_S, makePackage, RATE, SECOND_S } from './lecteur_package.mjs'

const out = process.argv[2] ?? null
const player = join(import.meta.dirname, '..', 'dist-lecteur', 'lecteur.html')
if (!existsSync(player)) throw new Error('ui/dist-lecteur/lecteur.html is not built: npm run build:lecteur')
const place = mkdtempSync(join(tmpdir(), 'vigie-lecteur-'))
const folder = join(place, 'remise')
const faults = []
if (out !== null) mkdirSync(out, { recursive: true })
makePackage(folder, player)
const browser = await launch()
const acts = { withoutFolder, pictureByPicture, saves, inGapAndOutside, speedsAndKeys, h265, intactOrNot, nothingGoesOut, asksForTheFolder, dropsTheFolder, badManifest, looks }
for (const [name, act] of Object.entries(acts)) {
  const since = Date.now()
  try {
    await act()
    console.log(`lecteur: ${name} (${((Date.now() - since) / 1000).toFixed(1)} s)`)
  } catch (error) {
    faults.push(`${name}: ${error.message}`)
  }
}
await browser.close()
rmSync(place, { recursive: true, force: true })
for (const fault of faults) console.error(`lecteur: FAULT ${fault}`)
process.exit(faults.length === 0 ? 0 : 1)

/** The player of the package, or another page of its kind. */
async function open({ path = join(folder, 'lecteur.html'), withFolder = false, language = 'fr-FR', width = 1280, height = 900, dark = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: language, timezoneId: 'America/New_York', acceptDownloads: true, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  page.on('request', (request) => {
    if (!page.isExpectingRefusals && !/^(?:file|blob|data):/.test(request.url())) faults.push(`a request to ${request.url()}`)
  })
  page.on('pageerror', (error) => faults.push(`page error: ${error.message}`))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !page.isExpectingRefusals) faults.push(`console: ${message.text()}`)
  })
  await page.goto(pathToFileURL(path).href)
  if (withFolder) await openFolder(page)
  return { page, context }
}

async function openFolder(page, path = folder) {
  await page.setInputFiles('[data-testid=folder]', path)
  await page.waitForFunction(() => document.querySelector('.folder-words')?.textContent.includes('ouvert'))
  await page.waitForFunction(() => document.querySelector('[data-testid=picture]')?.textContent.includes('1 sur'))
}

function overlay(page) {
  return page.textContent('.overlay-time')
}

function text(page, id) {
  return page.textContent(`[data-testid=${id}]`)
}

function until(page, id, words) {
  const holds = ([id, words]) => document.querySelector(`[data-testid=${id}]`)?.textContent.replaceAll('\u00a0', ' ').includes(words)
  return page.waitForFunction(holds, [id, words]).catch(async () => {
    throw new Error(`«${words}» does not come in ${id}: «${await text(page, id)}»`)
  })
}

function expect(found, wanted, what) {
  const plain = typeof found === 'string' ? found.replaceAll('\u00a0', ' ') : found
  if (!(wanted instanceof RegExp ? wanted.test(plain) : plain === wanted)) throw new Error(`${what}: «${found}», expected «${wanted}»`)
}

async function goTo(page, time, date = '12/03/2026') {
  await page.fill('#search-date', date)
  await page.fill('#search-time', time)
  await page.press('#search-time', 'Enter')
}

/** Plays at once, without the folder; over the gap into the second file. */
async function withoutFolder() {
  const { page, context } = await open()
  await page.waitForFunction(() => document.querySelector('video').readyState >= 2)
  expect(await overlay(page), /^12\/03\/2026 14:00:00,0[0-9]{2} \(UTC\+1\)$/, 'the clock at the beginning')
  expect(await text(page, 'overlay'), /Caméra 3 · place de l’Hôtel-de-Ville/, 'camera and place')
  await goTo(page, '14:00:06')
  await page.waitForFunction(() => document.querySelector('.overlay-time').textContent.includes('14:00:06'))
  await page.selectOption('[data-testid=speed]', '8')
  await page.click('[data-testid=play]')
  await until(page, 'notice', 'La caméra ne répondait pas')
  await until(page, 'notice', 'Fin de ce qui a été remis')
  faults.push(...(await axe(page, 'player without folder')))
  await context.close()
}

/** Frames one by one, by their numbers, both ways and over the gap. */
async function pictureByPicture() {
  const { page, context } = await open({ withFolder: true })
  await goTo(page, '14:00:03')
  await until(page, 'picture', `Image ${3 * RATE + 1} sur ${FIRST_S * RATE}`)
  for (const [button, picture, clock] of [['forward-one', 77, '14:00:03,040'], ['forward-one', 78, '14:00:03,080'], ['back-one', 77, '14:00:03,040'], ['back-one', 76, '14:00:03,000'], ['back-one', 75, '14:00:02,960']]) {
    await page.click(`[data-testid=${button}]`)
    await until(page, 'picture', `Image ${picture} sur`)
    await page.waitForFunction((clock) => document.querySelector('.overlay-time').textContent.includes(clock), clock)
  }
  await goTo(page, '14:00:12')
  await until(page, 'picture', 'Image 1 sur 150')
  await page.click('[data-testid=back-one]')
  await until(page, 'picture', `Image ${FIRST_S * RATE} sur ${FIRST_S * RATE}`)
  await until(page, 'notice', 'Lacune passée, du 12/03/2026 14:00:07 (UTC+1) au 12/03/2026 14:00:12 (UTC+1). La caméra ne répondait pas.')
  await page.click('[data-testid=forward-one]')
  await until(page, 'picture', 'Image 1 sur 150')
  await context.close()
}

async function saves() {
  const { page, context } = await open({ withFolder: true })
  await goTo(page, '14:00:03')
  await until(page, 'picture', 'Image 76 sur')
  const [still] = await Promise.all([page.waitForEvent('download'), page.click('[data-testid=save-png]')])
  expect(still.suggestedFilename(), 'camera-3_2026-03-12_14h00m03.000_UTC+01.png', 'the still’s name')
  const png = join(place, 'still.png')
  await still.saveAs(png)
  await until(page, 'saved', '640 × ')
  const [right, wrong] = [psnr(png, 75), psnr(png, 76)]
  if (!(right > 35 && right > wrong + 3)) throw new Error(`the still is not picture 75: ${right} dB, its neighbour ${wrong} dB`)
  if (out !== null) writeFileSync(join(out, 'still.png'), readFileSync(png))
  for (const [id, value] of [['from-date', '12/03/2026'], ['from-time', '14:00:02'], ['to-date', '12/03/2026'], ['to-time', '14h00:04']]) await page.fill(`[data-testid=${id}]`, value)
  const [span] = await Promise.all([page.waitForEvent('download'), page.click('[data-testid=save-span]')])
  const mp4 = join(place, 'span.mp4')
  await span.saveAs(mp4)
  expect(span.suggestedFilename(), /^camera-3_2026-03-12_14h00m02\.000_UTC\+01_14h00m05\.mp4$/, 'the span’s name')
  await until(page, 'saved', 'image clé')
  checkSpan(mp4)
  await page.fill('[data-testid=to-time]', '14:00:14')
  const downloads = []
  page.on('download', (download) => downloads.push(download))
  await page.click('[data-testid=save-span]')
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=saved] .saved').length === 2)
  faults.push(...(await axe(page, 'saved')))
  await context.close()
}

/** How like the still's picture is picture `index` of the first movie, in dB. */
function psnr(png, index) {
  const filter = `[0:v]crop=640:360:0:0,format=rgb24[a];[1:v]select=eq(n\\,${index}),format=rgb24[b];[a][b]psnr`
  const said = execFileSync('sh', ['-c', `ffmpeg -hide_banner -i "${png}" -i "${join(folder, 'video/mairie-1.mp4')}" -lavfi "${filter}" -frames:v 1 -f null - 2>&1`], { encoding: 'utf8' })
  const found = /average:(inf|[\d.]+)/.exec(said)?.[1]
  return found === 'inf' ? 99 : Number(found)
}

/** Its packets are those of the movie, byte for byte, from a key picture on; it decodes without a word. */
function checkSpan(mp4) {
  const packets = (path) => execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-c', 'copy', '-f', 'framemd5', '-'], { encoding: 'utf8' })
    .split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(',').at(-1).trim())
  const [cut, whole] = [packets(mp4), packets(join(folder, 'video/mairie-1.mp4'))]
  const begin = whole.indexOf(cut[0])
  if (begin !== 2 * RATE || cut.some((each, index) => each !== whole[begin + index])) throw new Error(`the span’s packets are not the movie’s from the key picture on (${begin})`)
  const probe = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', mp4], { encoding: 'utf8' }))
  const [stream] = probe.streams
  expect(`${stream.codec_name} ${stream.width}x${stream.height}`, 'h264 640x360', 'the span’s pictures')
  expect(Number(stream.nb_read_frames) >= 3 * RATE && Number(stream.start_time) === 0, true, `the span decodes from 0 (${stream.nb_read_frames} pictures from ${stream.start_time})`)
  expect(Number(probe.format.duration) < 3.3, true, `the span’s length (${probe.format.duration} s)`)
  expect(execFileSync('sh', ['-c', `ffmpeg -v warning -i "${mp4}" -f null - 2>&1`], { encoding: 'utf8' }), '', 'what the decoder says')
}

async function inGapAndOutside() {
  const { page, context } = await open()
  await goTo(page, '14:00:10')
  await until(page, 'hole', 'Lacune du 12/03/2026 14:00:07 (UTC+1) au 12/03/2026 14:00:12 (UTC+1). La caméra ne répondait pas.')
  faults.push(...(await axe(page, 'in a gap')))
  await page.click('text=Première image après')
  await page.waitForFunction(() => document.querySelector('.overlay-time').textContent.includes('14:00:12'))
  await goTo(page, '13:59:00')
  await until(page, 'hole', 'hors de ce qui a été remis : la remise de cette caméra commence le 12/03/2026 14:00:00')
  await goTo(page, '14:01:00')
  await until(page, 'hole', 'finit le 12/03/2026 14:00:18')
  await goTo(page, '02:30:00', '29/03/2026')
  await page.waitForSelector('#search-fault')
  await goTo(page, '14:00:05')
  await page.click('.cameras button >> text=Caméra 7')
  await page.waitForFunction(() => document.querySelector('.overlay').textContent.includes('Caméra 7') && document.querySelector('.overlay-time').textContent.includes('14:00:05'))
  await context.close()
}

/** The keyboard alone: bar and buttons; slow, fast, backwards. */
async function speedsAndKeys() {
  const { page, context } = await open({ withFolder: true })
  const seconds = () => page.$eval('video', (video) => video.currentTime)
  await page.focus('[data-testid=bar]')
  for (let times = 0; times < 4; times += 1) {
    await page.keyboard.press('ArrowRight')
    await page.waitForFunction((clock) => document.querySelector('.overlay-time').textContent.includes(clock), `14:00:0${times + 1}`)
  }
  const begun = Date.now()
  await page.focus('[data-testid=reverse]')
  await page.keyboard.press('Enter')
  await page.waitForTimeout(1200)
  await page.focus('[data-testid=freeze]')
  await page.keyboard.press('Enter')
  const back = 4 - (await seconds())
  // A busy machine shows fewer pictures, in the same time.
  if (back < 0.3 || back > (Date.now() - begun) / 1000 + 0.2) throw new Error(`backwards went ${back} s`)
  for (const [speed, least] of [['0.25', 0.05], ['8', 1.5]]) {
    await page.selectOption('[data-testid=speed]', speed)
    await page.focus('[data-testid=bar]')
    await page.keyboard.press('Home')
    await until(page, 'picture', 'Image 1 sur')
    const rate = await page.$eval('video', (video) => video.playbackRate)
    expect(String(rate), speed, 'the speed')
    const played = Date.now()
    await page.click('[data-testid=play]')
    await page.waitForTimeout(700)
    await page.click('[data-testid=freeze]')
    const went = await seconds()
    const most = ((Date.now() - played) / 1000) * Number(speed) + 0.2
    if (went < least || went > most) throw new Error(`× ${speed} went ${went} s, between ${least} and ${most} expected`)
  }
  await page.focus('[data-testid=bar]')
  await page.keyboard.press('End')
  await until(page, 'picture', 'Image 150 sur 150')
  await context.close()
}

/** A format that this browser may lack: said plainly, and the viewing copy is named as one. */
async function h265() {
  const { page, context } = await open()
  page.isExpectingRefusals = true
  await page.selectOption('[data-testid=camera]', '2')
  const plays = await page.evaluate(() => document.createElement('video').canPlayType('video/mp4; codecs="hvc1.1.6.L120.B0"') !== '')
  if (!plays) {
    await until(page, 'hole', 'Ce navigateur ne lit pas ce fichier (H.265)')
    expect(await text(page, 'hole'), /video\/ecole-1\.mp4.*VLC/, 'what to do')
    await page.setInputFiles('[data-testid=folder]', folder)
    await page.click('[data-testid=show-copy]')
    await page.waitForFunction(() => document.querySelector('.copy-mark')?.textContent === 'copie de visionnage, pas une preuve' && document.querySelector('video').readyState >= 2)
    if (out !== null) await page.screenshot({ path: join(out, 'copy-fr-1280.png') })
  }
  await context.close()
}

/** Intact; one byte changed, one file gone, one added: each named. */
async function intactOrNot() {
  const { page, context } = await open({ withFolder: true })
  await page.check('[data-testid=reseal]')
  await page.click('[data-testid=check]')
  await until(page, 'verdict', 'Intact : les 9 fichiers sont ceux du bordereau.')
  await until(page, 'verdict', `Re-scellées : ${(FIRST_S + SECOND_S + 12 + 2) * RATE} images`)
  faults.push(...(await axe(page, 'intact')))
  const damaged = join(place, 'abimee')
  cpSync(folder, damaged, { recursive: true })
  const movie = join(damaged, 'video/mairie-2.mp4')
  const bytes = readFileSync(movie)
  bytes[bytes.length >> 1] ^= 1
  writeFileSync(movie, bytes)
  rmSync(join(damaged, 'preuves/b2.jsonl'))
  writeFileSync(join(damaged, 'note.txt'), 'x')
  await openFolder(page, damaged)
  await page.click('[data-testid=check]')
  await until(page, 'verdict', 'Pas intact')
  const said = await page.$$eval('[data-testid=verdict] li', (lines) => lines.map((line) => line.textContent))
  for (const line of ['Fichier changé : « video/mairie-2.mp4 »', 'Fichier manquant : « preuves/b2.jsonl »', 'Fichier ajouté : « note.txt »', 'Images changées dans « video/mairie-2.mp4 », du 12/03/2026 14:00:1']) {
    if (!said.some((each) => each.replaceAll('\u00a0', ' ').startsWith(line))) throw new Error(`not said: ${line}; said: ${said.join(' | ')}`)
  }
  if (said.some((each) => each.includes('mairie-1'))) throw new Error('an intact file is named')
  faults.push(...(await axe(page, 'not intact')))
  if (out !== null) await page.screenshot({ path: join(out, 'not-intact-fr-1280.png'), fullPage: true })
  await context.close()
}

/** The page's own policy refuses every way out. */
async function nothingGoesOut() {
  const { page, context } = await open()
  page.isExpectingRefusals = true
  const refused = await page.evaluate(async () => {
    const said = []
    document.addEventListener('securitypolicyviolation', (event) => said.push(event.effectiveDirective))
    await fetch('http://192.0.2.1/').catch(() => {})
    const picture = new Image()
    picture.src = 'http://192.0.2.1/x.png'
    const script = document.createElement('script')
    script.textContent = 'globalThis.injected = true'
    document.head.append(script)
    await new Promise((done) => setTimeout(done, 200))
    return { said, injected: globalThis.injected === true }
  })
  expect(refused.said.sort().join(' '), 'connect-src img-src script-src-elem', 'what the policy refuses')
  expect(refused.injected, false, 'a foreign script')
  await context.close()
}

/** A player that carries no manifest asks for the folder; another package's folder is refused by one that carries one. */
async function asksForTheFolder() {
  const bare = join(place, 'lecteur.html')
  writeFileSync(bare, readFileSync(player))
  const { page, context } = await open({ path: bare })
  expect(await page.textContent('.folder-words'), /Ouvrez le dossier remis/, 'what a bare player asks')
  faults.push(...(await axe(page, 'bare player')))
  await openFolder(page)
  await page.click('[data-testid=play]')
  await page.waitForFunction(() => document.querySelector('video').currentTime > 0.3)
  await context.close()
}

/** The folder dropped on the page, as the system's file manager does it. */
async function dropsTheFolder() {
  const { page, context } = await open()
  const debug = await context.newCDPSession(page)
  const data = { items: [], files: [folder], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop']) await debug.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data })
  await page.waitForFunction(() => document.querySelector('.folder-words').textContent.includes('ouvert'))
  await until(page, 'picture', 'Image 1 sur 200')
  await context.close()
}

async function badManifest() {
  const other = join(place, 'autre')
  mkdirSync(other)
  const manifest = JSON.parse(readFileSync(join(folder, 'manifeste.json'), 'utf8'))
  const { page, context } = await open()
  for (const [change, words] of [
    [{ export: '00'.repeat(16) }, 'autre remise'],
    [{ format: 2 }, 'format 2'],
    [{ cameras: [{ ...manifest.cameras[0], from: 'hier' }] }, 'cameras[0].from'],
  ]) {
    writeFileSync(join(other, 'manifeste.json'), JSON.stringify({ ...manifest, ...change }))
    await page.setInputFiles('[data-testid=folder]', other)
    await page.waitForFunction((words) => document.querySelector('.problem')?.textContent.includes(words), words)
  }
  await context.close()
}

/** Pictures to look at, and axe in both languages, light and dark, wide and narrow. */
async function looks() {
  const all = [['fr-FR', 1280, false], ['en-GB', 390, true], ['en-GB', 1280, true], ['fr-FR', 390, false]]
  // Two tell of all that can differ; the others are to look at.
  for (const [language, width, dark] of all.slice(0, out === null ? 2 : 4)) {
    const { page, context } = await open({ language, width, height: width === 390 ? 844 : 900, dark })
    const name = `${language.slice(0, 2)}-${width}${dark ? '-dark' : ''}`
    expect(await page.getAttribute('html', 'lang'), language.slice(0, 2), 'the page’s language')
    await page.waitForFunction(() => document.querySelector('video').readyState >= 2)
    await page.setInputFiles('[data-testid=folder]', folder)
    await page.waitForSelector('[data-testid=check]')
    await goTo(page, '14:00:13')
    await page.waitForFunction(() => document.querySelector('.overlay-time').textContent.includes('14:00:13'))
    await page.click('[data-testid=check]')
    await page.waitForSelector('.verdict.good')
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    if (wide > width) throw new Error(`${name}: the page is ${wide} px wide`)
    faults.push(...(await axe(page, name)))
    if (out !== null) await page.screenshot({ path: join(out, `player-${name}.png`), fullPage: true })
    await goTo(page, '14:00:10')
    await page.waitForSelector('.cover')
    const top = await page.$eval('.picture', (picture) => picture.getBoundingClientRect().top)
    if (top < -2 || top > 700) throw new Error(`${name}: the picture is out of sight after a search (${top} px)`)
    if (out !== null) await page.screenshot({ path: join(out, `gap-${name}.png`) })
    await context.close()
  }
}
