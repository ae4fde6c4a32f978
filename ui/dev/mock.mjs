// A server of made-up answers to the console's contract, for looking at screens without a recorder. Not shipped.
//
// node dev/mock.mjs [--port 4173] [--no-wall] [--permit-seconds 600]
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { at, clip } from './clip.mjs'
import { AccessDesk } from './access.mjs'
import { Register } from './register.mjs'

const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist')
const CSP = "default-src 'self'; media-src 'self' blob:; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const HOUR = 3_600_000
const DAY = 24 * HOUR
const DELAY_DAYS = 7
const TICKS_PER_S = 90_000
export const ACCOUNTS = {
  operateur: { password: 'quatre mots sans rapport', role: 'operator' },
  administrateur: { password: 'encore quatre autres mots', role: 'administrator' },
  dpo: { password: 'mots et nombres, pas images', role: 'dpo' },
  inspecteur: { password: 'encore quatre autres mots', role: 'inspector' },
  police: { password: 'encore quatre autres mots', role: 'municipal-police' },
}
export const SETUP_TOKEN = 'demo-token-0001'
const SETUP_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

const PLACES = [
  ['Mairie', 'Place de la République'], ['Gare', 'Parvis de la gare'], ['Pont Neuf', 'Quai de la Rive'],
  ['École Jules-Ferry', 'Rue des Écoles'], ['Marché', 'Place du Marché'], ['Déchetterie', 'Route de la Forêt'],
]

export async function startMock({ port = 0, wall = true, permitSeconds = 600 } = {}) {
  const town = new Town(permitSeconds, wall)
  const server = createServer((request, response) => {
    // Many tiles write to one response.
    response.setMaxListeners(0)
    town.answer(request, response).catch((error) => {
      if (!response.headersSent) response.writeHead(500)
      response.end()
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') console.error(error)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}`, town, close: () => (server.closeAllConnections(), server.close()) }
}

/** A look, a refusal, a review, and a month whose details ended. */
function trace() {
  const line = { live: null, action: null, cameras: [], cameras_more: 0, from: null, to: null, purpose: null, reason: null, rules: [], pseudonym: null, of_me: false }
  const [now, who] = [Date.now(), 'K7QD-2MNX']
  return {
    entry: 1251, before: 1240, totals: { looks: 41, refusals: 1, exports: 0, reviews: 2, names: 0 },
    lines: [
      { ...line, entry: 1250, at: iso(now - 60_000), who: '9F3B-T04H', kind: 'review', action: 'accounts', reason: 'Contrôle mensuel du délégué.' },
      { ...line, entry: 1244, at: iso(now - HOUR), who, kind: 'look', live: true, cameras: PLACES.map(([name]) => name), purpose: 5, reason: 'Rixe signalée place du Marché.' },
      { ...line, entry: 1242, at: iso(now - 2 * HOUR), who, kind: 'look', live: false, cameras: ['Gare'], from: iso(now - 4 * HOUR), to: iso(now - 3 * HOUR), purpose: 1, reason: 'Dégradation du parvis constatée à la prise de service.' },
      {
        ...line, entry: 1241, at: iso(now - 3 * HOUR), who: 'B81C-00RZ', kind: 'refusal', action: 'watch-live', cameras: ['Mairie'], purpose: 5, reason: 'Vérification du réglage.',
        rules: [{ rule: ADMINISTRATOR_REASON.rule, text_fr: ADMINISTRATOR_REASON.text_fr, text_en: ADMINISTRATOR_REASON.text_en }],
      },
    ],
    ended: [{ month: '2025-09', first: 0, last: 730_112, ended_at: iso(now - 20 * DAY), ended_entry: 9_120_004, log_size: 9_300_112, root: 'a3'.repeat(32) }],
  }
}

const REVIEWED_ACCOUNTS = {
  entry: 1252,
  accounts: [
    { name: 'administrateur', role: 'administrator', closed: false, acts: [], missing: [], trained_on: null, training_is_old: false },
    { name: 'dpo', role: 'dpo', closed: false, acts: [], missing: [], trained_on: '2026-01-15T23:00:00.000Z', training_is_old: false },
    {
      name: 'operateur', role: 'operator', closed: false, trained_on: '2023-05-02T22:00:00.000Z', training_is_old: true, missing: [],
      acts: [{ kind: 'approval', number: '2025-114', from: '2025-03-01T00:00:00.000Z', end: '2028-03-01T00:00:00.000Z', holds: true }],
    },
  ],
}

const QUESTIONS = {
  entry: 1253, informed_from: '2026-01-04T23:00:00.000Z', more: false,
  questions: [
    { about: 'night', who: 'K7QD-2MNX', camera: null, reason: null, looks: [{ entry: 1100, at: '2026-03-12T22:10:00.000Z' }, { entry: 1109, at: '2026-03-13T01:40:00.000Z' }], more: false },
    { about: 'same-words', who: 'K7QD-2MNX', camera: null, reason: 'Surveillance', looks: Array.from({ length: 5 }, (_, n) => ({ entry: 1110 + n, at: `2026-03-13T1${n}:00:00.000Z` })), more: true },
  ],
}

class Town {
  constructor(permitSeconds, wall) {
    this.permitMs = permitSeconds * 1000
    this.wall = wall
    this.sessions = new Map()
    this.permits = new Map()
    this.entries = 1200
    this.live = new Set()
    this.setupUsed = false
    this.register = new Register()
    this.access = new AccessDesk()
    this.clips = PLACES.map((_, index) => clip(index))
    this.cameras = PLACES.map(([name, place], index) => ({
      id: `c${index + 1}`, name, place, delay_days: DELAY_DAYS,
      purposes: index === 5 ? [11] : index === 2 ? [3, 4, 5, 7] : [1, 3, 5, 6, 8],
      state: 'recording', detail_fr: '', detail_en: '', since: iso(Date.now() - 3 * HOUR), codec: 'avc1.4d401e', width: 640, height: 360, sub: null, missing: [],
    }))
  }

  async answer(request, response) {
    const url = new URL(request.url, 'http://mock')
    const path = url.pathname
    if (!path.startsWith('/api/') && !path.startsWith('/media/')) return file(path, response)
    if (request.method !== 'GET' && request.headers['vigie-request'] !== '1') return problem(response, 400, 'en-tête absent', 'header missing')
    const body = request.method === 'POST' ? JSON.parse((await text(request)) || 'null') : null
    const key = `${request.method} ${path}`
    if (key === 'GET /api/site') return json(response, 200, { name: 'Ville de démonstration', version: '0.1.0', hour_seconds: 3600, setup_needed: false })
    if (key === 'POST /api/setup/begin') return this.setupBegin(body, response)
    if (key === 'POST /api/setup') return this.setup(body, response)
    if (key === 'POST /api/session') return this.signIn(body, response)
    const token = /vigie=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]
    const session = this.sessions.get(token)
    if (session === undefined) return problem(response, 401, 'Vous n’êtes pas connecté', 'You are not signed in')
    if (key === 'GET /api/trace') return json(response, 200, { ...trace(), entry: null, totals: null, lines: trace().lines.map((line) => ({ ...line, who: null })) })
    if (key === 'POST /api/reviews/trace') return json(response, 200, trace())
    if (key === 'POST /api/reviews/accounts') return json(response, 200, REVIEWED_ACCOUNTS)
    if (key === 'POST /api/reviews/questions') return json(response, 200, QUESTIONS)
    if (key === 'POST /api/reviews/name') return json(response, 200, { entry: 1300, pseudonym: body.pseudonym, name: 'operateur', role: 'operator' })
    if (key === 'GET /api/passkeys') return json(response, 200, [])
    if (key === 'POST /api/session/active') return json(response, 200, Object.assign(session, { locks_at: iso(Date.now() + 600_000) }))
    if (key === 'GET /api/session') return json(response, 200, session)
    if (key === 'DELETE /api/session') return this.sessions.delete(token), response.writeHead(204).end()
    if (key === 'GET /api/cameras') return json(response, 200, this.cameras)
    if (key === 'GET /api/break-glass') return json(response, 200, { now: iso(Date.now()), seconds: 900, text_fr: 'texte', text_en: 'text', lines: [] })
    if (key === 'GET /api/health') return json(response, 200, this.health())
    if (key === 'GET /api/reason') return json(response, 200, { held: session.held ?? null, recent: session.recent ?? [] })
    if (key === 'DELETE /api/reason') return (session.held = null), response.writeHead(204).end()
    if (path.startsWith('/api/access')) {
      const [status, told] = this.access.answer(request.method, path, body, session.name)
      return json(response, status, told, status < 400 ? undefined : 'application/problem+json')
    }
    if (path.startsWith('/api/requisitions') || path === '/api/opinions' || path.startsWith('/api/holds') || path.startsWith('/api/exports/')) {
      const [status, told] = this.register.answer(request.method, path, body, session.name)
      return status === 204 ? response.writeHead(204).end() : json(response, status, told, status < 400 ? undefined : 'application/problem+json')
    }
    if (key === 'POST /api/looks') return this.look(session, body, response)
    const day = /^\/api\/cameras\/([^/]+)\/day$/.exec(path)
    if (day !== null) return json(response, 200, this.day(day[1], url.searchParams.get('date')))
    const look = /^\/api\/looks\/([^/]+)$/.exec(path)
    if (look !== null) return this.permits.delete(look[1]), response.writeHead(204).end()
    const wall = /^\/media\/([^/]+)\/live$/.exec(path)
    if (wall !== null && this.wall) return this.liveWall(this.permits.get(wall[1]), (url.searchParams.get('sub') ?? '').split(','), response)
    const media = /^\/media\/([^/]+)\/([^/]+)\/(live|replay)$/.exec(path)
    if (media !== null) return this.media(this.permits.get(media[1]), media[2], media[3], url.searchParams, response)
    return problem(response, 404, 'Adresse inconnue', 'Unknown address')
  }

  setupBegin(body, response) {
    if (body.token !== SETUP_TOKEN || this.setupUsed) return problem(response, 410, 'Ce lien n’est plus valable', 'This link is no longer valid')
    const otpauth = `otpauth://totp/Vigie%20Ville:administrateur?secret=${SETUP_SECRET}&issuer=Vigie%20Ville&algorithm=SHA1&digits=6&period=30`
    // no QR code that a telephone reads: squares to look at
    const qr = Array.from({ length: 45 }, (_, y) => Array.from({ length: 45 }, (_, x) => ((x * y + x * 3 + y * 5) % 3 === 0 ? '1' : '0')).join(''))
    json(response, 200, { name: 'administrateur', role: 'administrator', otpauth, qr })
  }

  setup(body, response) {
    if (body.token !== SETUP_TOKEN || this.setupUsed) return problem(response, 410, 'Ce lien n’est plus valable', 'This link is no longer valid')
    if (body.code === '000000') return problem(response, 403, 'Code incorrect', 'Wrong code')
    this.setupUsed = true
    const recovery_codes = ['7k2m-qx9d-04tz-h1rw', 'c8vn-5e3j-m6yb-2pgs', '0d4f-9rtx-k7qh-w3zc']
    json(response, 200, { name: 'administrateur', role: 'administrator', recovery_codes })
  }

  signIn({ name, password }, response) {
    const account = ACCOUNTS[name]
    if (account?.password !== password) return problem(response, 401, 'Nom ou mot de passe incorrect', 'Wrong name or password')
    const token = randomUUID()
    const session = { name, role: account.role, expires_at: iso(Date.now() + 8 * HOUR), locks_at: iso(Date.now() + 600_000) }
    this.sessions.set(token, session)
    response.setHeader('set-cookie', `vigie=${token}; HttpOnly; SameSite=Strict; Path=/`)
    json(response, 200, session)
  }

  look(session, body, response) {
    const held = session.held ?? null
    if (body.continues) {
      if (held === null) return problem(response, 409, 'Dites pourquoi', 'Say why')
      if (Date.parse(held.until) <= Date.now()) return problem(response, 409, 'Votre motif a pris fin', 'Your reason has ended')
      if (this.cameras.some((camera) => body.cameras.includes(camera.id) && !camera.purposes.includes(held.purpose))) {
        return problem(response, 409, 'Autre finalité pour cette caméra', 'Another purpose for this camera')
      }
      Object.assign(body, { purpose: held.purpose, reason: held.reason })
    }
    const entry = (this.entries += 1)
    if (['administrator', 'dpo', 'inspector'].includes(session.role)) return refuse(response, entry, ADMINISTRATOR_REASON)
    if (new Set(body.reason.match(/[\p{L}\p{N}]/gu)).size < 4) return refuse(response, entry, NO_CONTENT)
    const outside = this.cameras.filter((camera) => body.cameras.includes(camera.id) && !camera.purposes.includes(body.purpose))
    if (outside.length > 0) return refuse(response, entry, PURPOSE_REASON)
    const permit = {
      permit: randomUUID().replaceAll('-', ''), kind: body.kind, cameras: body.cameras, from: body.from ?? null, to: body.to ?? null,
      purpose: body.purpose, reason: body.reason, expires_at: iso(Date.now() + this.permitMs), entry, break_glass: null,
      stated: body.continues ? held.stated : null,
    }
    const said = { purpose: body.purpose, reason: body.reason }
    if (!body.continues) {
      session.held = { ...said, until: iso(Date.now() + 30 * 60_000), stated: entry }
      session.recent = [said, ...(session.recent ?? []).filter((each) => each.reason !== said.reason)].slice(0, 5)
    }
    this.permits.set(permit.permit, permit)
    json(response, 201, permit)
  }

  day(camera, date) {
    const from = paris(date)
    const to = paris(new Date(Date.parse(`${date}T12:00:00Z`) + DAY).toISOString().slice(0, 10))
    const now = Date.now()
    const gaps = camera === FLAPPING ? this.flaps(from, Math.min(to, now)) : this.gaps(from, Math.min(to, now))
    const hours = []
    for (let start = from; start < to; start += HOUR) {
      const deadline = start + DELAY_DAYS * DAY
      const state = start >= now ? 'empty' : deadline <= now ? 'destroyed' : deadline - 10 * 60_000 <= now ? 'closed' : 'live'
      hours.push({
        from: iso(start), to: iso(start + HOUR), deadline: state === 'empty' ? null : iso(deadline), state,
        destroyed_at: state === 'destroyed' ? iso(deadline + 2000) : null,
      })
    }
    const first = Math.max(from, Math.floor((now - DELAY_DAYS * DAY) / HOUR) * HOUR + HOUR)
    return {
      camera, date, from: iso(from), to: iso(to), now: iso(now), hours,
      footage: without(first, Math.min(to, now), gaps.map(([a, b]) => [a, b ?? now])).map(([a, b]) => ({ from: iso(a), to: iso(b) })),
      gaps: gaps.filter(([a]) => a >= first).map(([a, b, fr, en]) => ({ from: iso(a), to: b === null ? null : iso(b), cause_fr: fr, cause_en: en, remedy_fr: 'Vérifiez son alimentation.', remedy_en: 'Check its power.' })),
    }
  }

  /** Two a day, and twenty seconds ten minutes ago. */
  gaps(from, to) {
    const recent = Math.floor(this.startedMs() / 1000) * 1000 - 10 * 60_000
    return [
      [from + 2.2 * HOUR, from + 2.45 * HOUR, ...SILENT],
      [from + 5 * HOUR, from + 5.6 * HOUR, 'coupure de courant', 'power cut'],
      [recent, recent + 20_000, 'caméra redémarrée', 'camera restarted'],
    ].filter(([a, b]) => a >= from && b <= to)
  }

  /** A camera that comes and goes every twenty seconds since midnight, and is away now. */
  flaps(from, to) {
    const all = []
    for (let at = from + 5000; at < to - 20_000; at += 20_000) all.push([at, at + 7000, ...SILENT])
    return to < Date.now() - 60_000 ? all : [...all, [to - 6000, null, ...SILENT]]
  }

  /** Breaks every live connection, as a network that fails would. */
  cutLive() {
    for (const response of this.live) response.destroy()
  }

  startedMs() {
    return (this.started ??= Date.now())
  }

  async media(permit, camera, kind, query, response) {
    if (permit === undefined || !permit.cameras.includes(camera)) return problem(response, 410, 'Ce permis n’est plus valable', 'This permit is no longer valid')
    const source = this.clipOf(camera, query.get('stream') === 'sub')
    if (source === null) return json(response, 404, NO_SUB_STREAM, 'application/problem+json')
    const { init, fragments, fragmentS, contentType } = source
    if (kind === 'live') {
      const live = new LiveClip(source)
      response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store', 'vigie-start': iso(live.startMs) })
      this.keep(response)
      response.write(init)
      for await (const bytes of live.run(() => response.closed || !this.permits.has(permit.permit))) response.write(bytes)
      return response.end()
    }
    const [from, to] = [Date.parse(query.get('from')), Math.min(Date.parse(query.get('to')), Date.now())]
    const gaps = this.gaps(Math.floor(from / DAY) * DAY, to)
    if (without(from, to, gaps).length === 0) return problem(response, 404, 'Aucune image enregistrée à cet instant', 'Nothing recorded at this instant')
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store', 'vigie-from': iso(from) })
    response.write(init)
    for (let index = 0, ms = from; ms < to && !response.closed; index += 1, ms += fragmentS * 1000) {
      if (gaps.some(([a, b]) => ms >= a && ms < b)) continue
      const more = response.write(at(fragments[index % fragments.length], ((ms - from) / 1000) * TICKS_PER_S))
      this.replayedToMs = ms
      if (!more) await Promise.race([once(response, 'drain'), once(response, 'close')])
    }
    response.end()
  }

  /** The main stream's clip, or the sub-stream's: the same pictures in a format that is played, or `null`. */
  clipOf(camera, sub) {
    const main = this.clips[Number(camera.slice(1)) - 1]
    if (!sub) return main
    return this.cameras.find((each) => each.id === camera).sub === null ? null : { ...main, contentType: 'video/mp4; codecs="avc1.4d401e"' }
  }

  async liveWall(permit, sub, response) {
    if (permit === undefined) return problem(response, 410, 'Ce permis n’est plus valable', 'This permit is no longer valid')
    response.writeHead(200, { 'content-type': 'application/vnd.vigie.wall', 'cache-control': 'no-store' })
    this.keep(response)
    const gone = () => response.closed || !this.permits.has(permit.permit)
    await Promise.all(permit.cameras.map(async (id, place) => {
      const source = this.clipOf(id, sub.includes(id))
      if (source === null) return response.write(record(place, 2, Buffer.from(JSON.stringify(NO_SUB_STREAM))))
      const live = new LiveClip(source)
      response.write(record(place, 1, Buffer.from(JSON.stringify({ content_type: source.contentType, start: iso(live.startMs) }))))
      response.write(record(place, 0, source.init))
      for await (const bytes of live.run(gone)) response.write(record(place, 0, bytes))
    }))
    response.end()
  }

  keep(response) {
    this.live.add(response)
    response.on('close', () => this.live.delete(response))
  }

  health() {
    const now = Date.now()
    const next = Math.ceil(now / HOUR) * HOUR
    const away = this.cameras[3]
    return {
      site: 'Ville de démonstration', now: iso(now), version: '0.1.0', state: 'warning',
      checks: [
        check('recording', 'warning', 'Enregistrement', 'Recording', 'Une caméra sur six est injoignable depuis 4 minutes.', 'One camera of six has been out of reach for 4 minutes.'),
        check('destruction', 'ok', 'Destruction à terme', 'Destruction on time', 'Aucune heure n’est en retard.', 'No hour is late.'),
        check('ledger', 'ok', 'Registre', 'Ledger', 'Complet et signé.', 'Complete and signed.'),
        check('witness-asso', 'ok', 'Témoin asso', 'Witness asso', 'il a attesté 1184 entrées il y a moins d’une minute', 'it attested 1184 entries less than a minute ago'),
        check('store', 'ok', 'Stockage', 'Storage', 'Place pour tout le délai autorisé.', 'Room for the whole authorised delay.'),
      ],
      cameras: this.cameras.map((camera) => ({
        id: camera.id, name: camera.name, state: camera === away ? 'away' : 'recording',
        detail_fr: camera === away ? 'Pas de réponse ; nouvel essai toutes les 15 secondes.' : '', detail_en: camera === away ? 'No answer; next attempt every 15 seconds.' : '',
        last_durable: iso(now - (camera === away ? 240_000 : 900)), bytes_per_second: camera === away ? 0 : 512_000,
        clock_ahead_ms: camera === this.cameras[1] ? 7300 : camera === away ? null : 120, clock_jumps: camera === this.cameras[2] ? 1 : 0,
        missing: camera === this.cameras[1] ? [{ rule: 'act-sign', blocks: false, article: 'CSI L255-1, R253-6 I', title_fr: "Panneau d'information", title_en: 'Sign for the public', text_fr: "Aucun panneau n'informe le public de cette caméra.", text_en: 'No sign tells the public of this camera.', remedy_fr: 'Posez le panneau et inscrivez-le.', remedy_en: 'Put up the sign and enter it.' }] : [],
      })),
      store: { bytes: 2_000_000_000_000, bytes_used: 1_410_000_000_000, slots: 31_250, slots_free: 9_218 },
      ledger: { size: this.entries, checkpoint_size: this.entries - 3, checkpoint_at: iso(now - 31_000), root: 'q0Ff3m9n2H1kE8yV5sJdYt7uWcRxLbAaZp4o6iG=', witnesses: { asked: 2, attested_size: this.entries - 16, attested_at: iso(now - 45_000) } },
      destruction: { next_at: iso(next), next_hour: iso(next - DELAY_DAYS * DAY), bytes_past_deadline: 0, bytes_closed_unconfirmed: 0, camera_hours_destroyed: 1488, last_destroyed_at: iso(next - HOUR + 2000) },
      keyring: {
        kind: 'file', copies: [{ state: 'present' }, { state: 'present' }],
        sentence_fr: 'Les clés sont dans un fichier tenu en deux copies : une image du disque prise avant le terme, avec la phrase de passe, rendrait les images lisibles.',
        sentence_en: 'The keys are in a file kept in two copies: an image of the disk taken before the deadline, with the passphrase, would make the pictures readable.',
      },
      clock: { state: 'ok', detail_fr: 'Horloge synchronisée, écart de 12 ms.', detail_en: 'Clock synchronised, off by 12 ms.' },
    }
  }
}

const FLAPPING = 'c5'
const SILENT = ['La caméra ne répond pas.', 'The camera does not answer.']

/** A clip played in a loop at the pace of the clock, from the group that is due now. */
class LiveClip {
  constructor(source) {
    this.source = source
    this.startMs = Date.now()
  }

  async *run(gone) {
    const { fragments, fragmentS } = this.source
    const base = (this.startMs % DAY) / 1000
    for (let index = 0; !gone(); index += 1) {
      // A group is complete when its last picture is.
      const dueMs = this.startMs + (index + 1) * fragmentS * 1000
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - Date.now())))
      yield at(fragments[index % fragments.length], (base + index * fragmentS) * TICKS_PER_S)
    }
  }
}

const ADMINISTRATOR_REASON = {
  rule: 'role-administrator', article: 'CSI R253-3',
  text_fr: 'Un administrateur ne voit aucune image : son rôle est d’entretenir le système, pas de regarder.',
  text_en: 'An administrator sees no picture: the role is to maintain the system, not to look.',
  remedy_fr: 'Qu’une personne habilitée à visionner fasse la demande avec son propre compte d’opérateur.',
  remedy_en: 'A person authorised to view makes the request with an operator account of their own.',
}
const NO_SUB_STREAM = { type: 'urn:vigie:problem:no-sub-stream', title: 'No sub-stream', status: 404, title_fr: 'Pas de flux secondaire', title_en: 'No sub-stream', detail_fr: '', detail_en: '' }
const NO_CONTENT = {
  rule: 'reason-says-something', article: 'CSI R253-5',
  text_fr: 'Le motif ne dit rien : il compte moins de 4 lettres ou chiffres différents.',
  text_en: 'The reason says nothing: it has fewer than 4 different letters or digits.',
  remedy_fr: 'Écrire en une phrase pourquoi ces images doivent être vues maintenant.', remedy_en: 'Write in one sentence why these pictures have to be seen now.',
}
const PURPOSE_REASON = {
  rule: 'purpose-authorised', article: 'CSI L252-1',
  text_fr: 'L’autorisation préfectorale de cette caméra ne prévoit pas cette finalité.',
  text_en: 'The prefectural authorisation of this camera does not name this purpose.',
  remedy_fr: 'Choisir une finalité prévue, ou demander une modification de l’autorisation.',
  remedy_en: 'Choose a purpose that is named, or ask for the authorisation to be changed.',
}

function refuse(response, entry, reason) {
  json(response, 403, {
    type: `https://vigie.invalid/refused/${reason.rule}`, title: 'refused', status: 403, title_fr: 'Demande refusée', title_en: 'Request refused',
    detail_fr: 'Aucune image n’a été ouverte.', detail_en: 'No picture was opened.', reasons: [reason], entry,
  }, 'application/problem+json')
}

function record(camera, kind, payload) {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(payload.length, 0)
  header.writeUInt16BE(camera, 4)
  header.writeUInt8(kind, 6)
  return Buffer.concat([header, payload])
}

function without(from, to, gaps) {
  let spans = to > from ? [[from, to]] : []
  for (const [a, b] of gaps) spans = spans.flatMap(([x, y]) => [[x, Math.min(y, a)], [Math.max(x, b), y]]).filter(([x, y]) => y > x)
  return spans
}

/** Midnight in Paris of a date. */
function paris(date) {
  const utc = Date.parse(`${date}T00:00:00Z`)
  return [2, 1].map((hours) => utc - hours * HOUR).find((ms) => new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Paris', hour: '2-digit', hourCycle: 'h23' }).format(ms) === '00')
}

function check(id, state, title_fr, title_en, detail_fr, detail_en) {
  return { id, state, title_fr, title_en, detail_fr, detail_en }
}

function iso(ms) {
  return new Date(ms).toISOString()
}

async function text(request) {
  const parts = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

function json(response, status, body, type = 'application/json') {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(JSON.stringify(body))
}

function problem(response, status, title_fr, title_en) {
  json(response, status, { type: 'about:blank', title: title_en, status, title_fr, title_en, detail_fr: '', detail_en: '' }, 'application/problem+json')
}

function file(path, response) {
  const name = join(DIST, normalize(path === '/' ? '/index.html' : path))
  if (!name.startsWith(DIST) || !existsSync(name) || !statSync(name).isFile()) return response.writeHead(404).end()
  response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': CSP, 'x-content-type-options': 'nosniff' })
  response.end(readFileSync(name))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const value = (name, other) => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : other)
  const { url } = await startMock({ port: value('--port', 4173), wall: !process.argv.includes('--no-wall'), permitSeconds: value('--permit-seconds', 600) })
  console.log(`${url}  (operateur, administrateur; ${url}/#setup=${SETUP_TOKEN})`)
}
