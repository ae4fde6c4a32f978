// The mock's register: two requisitions, a package with its links, and holds that are made, copied, bound, lifted and end by themselves. Not shipped.
import { randomUUID } from 'node:crypto'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const HOLD_DAYS = 15
const COPY_MS = 4000
const RESERVE_BYTES = 12_000_000_000
const BYTES_PER_S = 512_000
const WHY_FR = { deadline: 'terme des images, sans réquisition', delivered: 'remise prouvée', lifted: 'levée par la commune' }
const OTHER = {
  rule: 'hold-only-what-is-asked', article: 'CSI R253-4 al. 3 ; RGPD art. 5 § 1 c',
  text_fr: 'Cette réquisition ne demande pas tout ce que ce gel conserve, ou la commune l’a refusée.',
  text_en: 'This requisition does not ask for all that this hold keeps, or the town refused it.',
  remedy_fr: 'Tant que les images vivent, gelez exactement ce que la réquisition demande, puis levez ce gel.',
  remedy_en: 'While the pictures live, hold exactly what the requisition asks for, then lift this hold.',
}

export class Register {
  constructor() {
    this.requisitions = requisitions()
    this.holds = holds(this.requisitions[0])
  }

  /** Status and body. */
  answer(method, path, body, who) {
    this.age()
    const key = `${method} ${path}`
    if (key === 'GET /api/opinions') return [200, { requests: [opinionRequest(this.requisitions.at(-1))] }]
    const [, judged] = /^\/api\/requisitions\/([^/]+)\/opinion$/.exec(path) ?? []
    if (judged !== undefined) return this.judge(judged, body, who), [204, null]
    if (key === 'GET /api/requisitions') return [200, { now: iso(Date.now()), more: false, links_offered: true, requisitions: this.requisitions, ...CHOICES }]
    if (path.startsWith('/api/exports/')) return this.export(method, path, body, who)
    if (key === 'GET /api/holds') return [200, { now: iso(Date.now()), holds: this.holds.map(({ readyMs, ...told }) => told), reserve: this.reserve() }]
    if (key === 'POST /api/holds/weigh') return [200, { bytes: bytesOf(body.windows), ...this.reserve() }]
    if (key === 'POST /api/holds') return this.hold(body, who)
    const [, id, act] = /^\/api\/holds\/([^/]+)\/(requisition|lift)$/.exec(path) ?? []
    const known = this.holds.find((hold) => hold.id === id && hold.ended === null)
    if (known === undefined) return [404, problem(404, 'Ce gel n’existe plus', 'This hold stands no more')]
    if (act === 'lift') return end(known, 'lifted'), [204, null]
    return this.bind(known, body.requisition) ? [204, null] : [403, refusal()]
  }

  judge(id, { favourable, reason }, who) {
    const known = this.requisitions.find((each) => each.id === id)
    known.opinions.push({ at: iso(Date.now()), adviser: 'dpo', title: DPO.title, by: who, favourable, reason })
    known.lacks = favourable ? [] : [DPO.lack]
  }

  /** The package, and its links: one that lives at a time. */
  export(method, path, body, who) {
    const known = this.requisitions[0].exports[0]
    const [, id, links, link] = /^\/api\/exports\/([^/]+)(\/links)?(?:\/([^/]+))?$/.exec(path) ?? []
    if (id !== known.id) return [404, problem(404, 'Dossier inconnu', 'Unknown package')]
    if (links === undefined) return [200, known]
    const lives = known.links.find((each) => each.over === null)
    if (method === 'DELETE') {
      if (lives?.id !== link) return [404, problem(404, 'Dossier inconnu', 'Unknown package')]
      Object.assign(lives, { over: 'revoked', steps: [{ at: iso(Date.now()), step: 'ended', nth: null, why: 'revoked' }] })
      return [204, null]
    }
    if (lives !== undefined) return [409, problem(409, 'Un lien vit déjà', 'A link lives already')]
    const made = linkOf({ who, recipient: body.recipient, downloads: body.downloads, until: iso(Date.now() + body.minutes * MINUTE), steps: [] })
    known.links.push(made)
    return [201, { link: made, url: `https://remise.example/remise#${'5c'.repeat(32)}`, code: '7Q2MX-0KRTD' }]
  }

  hold({ requester, reason, windows, requisition }, who) {
    const { used_bytes: used, max_bytes: max } = this.reserve()
    if (bytesOf(windows) > max - used) return [409, problem(409, 'La réserve n’a plus la place', 'The reserve has no room')]
    const made = holdOf({ number: 1 + Math.max(...this.holds.map((hold) => hold.number)), who, requester, reason, windows, diesMs: 6 * DAY, openedMs: 0 })
    if (requisition !== null && !this.bind(made, requisition)) return [403, refusal()]
    this.holds.unshift({ ...made, kept_bytes: null, readyMs: Date.now() + COPY_MS })
    return [201, made]
  }

  bind(hold, id) {
    const asked = this.requisitions.find((each) => each.id === id)
    const covers = (held) => asked.windows.some((each) => each.camera === held.camera && each.from <= held.from && held.to <= each.to)
    if (asked === undefined || !hold.windows.every(covers)) return false
    const until = iso(Date.now() + HOLD_DAYS * DAY)
    Object.assign(hold, { requisition: id, requisition_number: asked.number, ends: until, hours: hold.hours.map(({ hour }) => ({ hour, dies: until })) })
    return true
  }

  reserve() {
    const used = this.holds.filter((hold) => hold.ended === null).reduce((sum, hold) => sum + bytesOf(hold.windows), 0)
    return { used_bytes: used, max_bytes: RESERVE_BYTES }
  }

  /** Copies end, and so do holds. */
  age() {
    for (const hold of this.holds) {
      if (hold.kept_bytes === null && hold.readyMs <= Date.now()) hold.kept_bytes = bytesOf(hold.windows)
      if (hold.ended === null && Date.parse(hold.ends) <= Date.now()) end(hold, 'deadline')
    }
  }
}

function holds(requisition) {
  const said = { who: 'police', requester: 'Officier de permanence, commissariat central' }
  const window = (camera, fromMs, minutes) => ({ camera, from: iso(Date.now() - fromMs), to: iso(Date.now() - fromMs + minutes * MINUTE) })
  const bound = holdOf({ ...said, number: 8, reason: 'Vol avec violence, place du Marché.', windows: requisition.windows, diesMs: HOLD_DAYS * DAY, openedMs: DAY })
  Object.assign(bound, { requisition: requisition.id, requisition_number: requisition.number })
  return [
    holdOf({ ...said, number: 10, reason: 'Accident mortel au carrefour, réquisition du parquet annoncée.', windows: [window('c1', 6 * DAY - 41 * MINUTE, 20), window('c2', 6 * DAY, 90)], diesMs: 30 * HOUR, openedMs: 2 * HOUR }),
    holdOf({ ...said, number: 9, reason: 'Dégradations du parvis, plainte en cours de dépôt.', windows: [window('c2', 20 * HOUR, 45)], diesMs: 6 * DAY + 5 * HOUR, openedMs: 3 * HOUR }),
    bound,
    end(holdOf({ ...said, number: 7, reason: 'Rixe signalée place du Marché.', windows: [window('c5', 20 * DAY, 15)], diesMs: 0, openedMs: 18 * DAY }), 'deadline', 13 * DAY),
    { ...end(holdOf({ ...said, number: 6, reason: 'Disparition inquiétante, levée de doute.', windows: [window('c1', 22 * DAY, 30)], diesMs: 0, openedMs: 21 * DAY }), 'lifted', 20 * DAY), is_destroyed: false, certificate_fr: null, certificate_en: null },
  ]
}

/** It dies hour by hour, the first one after so many milliseconds. */
function holdOf({ number, who, requester, reason, windows, diesMs, openedMs }) {
  const first = Math.min(...windows.map((window) => Date.parse(window.from)))
  const last = Math.max(...windows.map((window) => Date.parse(window.to)))
  const hours = []
  for (let hour = Math.floor(first / HOUR) * HOUR; hour < last; hour += HOUR) hours.push({ hour: iso(hour), dies: iso(Date.now() + diesMs + hours.length * HOUR) })
  return {
    id: randomUUID().replaceAll('-', ''), number, leaf: 1100 + number, opened: iso(Date.now() - openedMs), who, requester, reason, windows, hours, ends: hours[0].dies,
    requisition: null, requisition_number: null, kept_bytes: bytesOf(windows), missing: 0, ended: null, why: null, why_fr: null, is_destroyed: false, certificate_fr: null, certificate_en: null,
  }
}

function end(hold, why, agoMs = 0) {
  return Object.assign(hold, { hours: [], ends: null, ended: iso(Date.now() - agoMs), why, why_fr: WHY_FR[why], is_destroyed: true, certificate_fr: [`Objet : certificat de fin de gel (${WHY_FR[why]}).`], certificate_en: ['Object: certificate of the end of a hold.'] })
}

function requisitions() {
  const authority = { name: 'M. Durand', quality: 'opj', matricule: '', service: 'Commissariat central', court: '' }
  const from = Math.floor((Date.now() - 3 * DAY) / HOUR) * HOUR
  const asked = (camera) => ({ camera, from: iso(from), to: iso(from + 30 * MINUTE) })
  const says = {
    version: 1, received: iso(Date.now() - DAY), means: 'in-person', authority, framework: 'cpp60-1', framework_other: '', authorisation_reference: null, authorisation_general: null,
    object: 'Vol avec violence', scan: null, genuine: null, validator: '', lacks: [], exports: [], answer: null, deliveries: [], viewings: [], opinions: [], letter_fr: null, letter_en: null,
  }
  const lacks = [{ field: 'procedure', article: 'CPP 60-1', text_fr: 'Le numéro de procédure.', text_en: 'The number of the procedure.' }]
  return [
    { ...says, id: 'a1'.repeat(16), number: '2026-0002', procedure: 'PV 2026/118', windows: [asked('c5')], exports: [exported(asked('c5'))] },
    { ...says, id: 'b2'.repeat(16), number: '2026-0001', procedure: '', windows: [{ camera: 'c2', from: iso(Date.now() - 2 * DAY), to: iso(Date.now()) }], lacks },
    procedureOf(says, asked('c5')),
  ]
}

const DPO = {
  title: 'délégué à la protection des données',
  lack: { field: 'opinion.dpo', article: 'RGPD 39 ; loi 78-17 art. 99', text_fr: 'L’avis du délégué à la protection des données.', text_en: 'The opinion of the data-protection officer.' },
}

/** A disciplinary one, on which the head of the service has spoken. */
function procedureOf(says, window) {
  const authority = { name: 'Mme Martin', quality: 'other', matricule: '', service: 'Inspection générale', court: '' }
  const head = { at: iso(Date.now() - HOUR), adviser: 'head-of-service', title: 'responsable du service', by: 'cheffe', favourable: true, reason: 'L’acte est motivé et ne demande que dix minutes.' }
  return { ...says, authority, id: 'c3'.repeat(16), number: '2026-0000', framework: 'disciplinary', procedure: 'DISC 12', object: 'Comportement d’un agent en service.', windows: [window], lacks: [DPO.lack], opinions: [head] }
}

function opinionRequest(requisition) {
  const { id, number, received, procedure, object, windows, opinions } = requisition
  const pictures = windows.map(({ from, to }) => ({ camera: 'Marché', place: 'Place du Marché', from, to }))
  return { id, number, received, framework: DISCIPLINARY.title, service: requisition.authority.service, procedure, object, pictures, has_act: true, is_genuine: true, opinions, may: 'dpo' }
}

const DISCIPLINARY = { code: 'disciplinary', title: 'procédure disciplinaire (CSI R253-4)' }
/** Two persons allowed it, it is made, and it was fetched once. */
function exported(window) {
  const at = (minutes) => iso(Date.now() - minutes * MINUTE)
  const step = (minutes, step, nth = null, why = null) => ({ at: at(minutes), step, nth, why })
  const steps = [step(50, 'wrong-code'), step(48, 'fetch', 1), step(47, 'broke-off', 1), step(40, 'again', 1), step(35, 'sent', 1), step(35, 'ended', null, 'used'), step(20, 'late')]
  return {
    id: 'e5'.repeat(16), is_own: true, entry: 1190, opened: at(60), until: iso(Date.now() + 2 * DAY), windows: [window], manifest: 'ab'.repeat(32), state: 'ready', window: null, share: null,
    bytes: 96_000_000, sha256: 'cd'.repeat(32), timestamp: null, viewing_copies: 'made', is_without_report: false, problem_fr: null, problem_en: null,
    links: [{ ...linkOf({ who: 'police', recipient: 'M. Durand, commissariat central', downloads: 1, until: iso(Date.now() + DAY), steps }), over: 'used' }],
  }
}

function linkOf(says) {
  return { id: randomUUID().replaceAll('-', ''), entry: 1195, made: iso(Date.now() - 55 * MINUTE), over: null, ...says }
}

const CHOICES = {
  frameworks: [{ code: 'cpp60-1', title: 'Enquête de flagrance (CPP 60-1)' }, DISCIPLINARY, { code: 'other', title: 'Autre texte' }],
  qualities: [{ code: 'opj', title: 'officier de police judiciaire' }],
  means: [{ code: 'in-person', title: 'en main propre' }, { code: 'oral', title: 'oralement, en urgence' }],
  outcomes: [{ code: 'whole', title: 'tout est remis' }, { code: 'refused', title: 'refus' }],
  grounds: [{ code: 'never-recorded', title: 'jamais enregistré' }],
}

function bytesOf(windows) {
  return windows.reduce((sum, window) => sum + ((Date.parse(window.to) - Date.parse(window.from)) / 1000) * BYTES_PER_S, 0)
}

function refusal() {
  return { ...problem(403, 'Gel refusé', 'Hold refused'), reasons: [OTHER], entry: 1201 }
}

function problem(status, title_fr, title_en) {
  return { type: 'about:blank', title: title_en, status, title_fr, title_en, detail_fr: '', detail_en: '' }
}

function iso(ms) {
  return new Date(ms).toISOString()
}
