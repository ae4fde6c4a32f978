// The mock's desk of requests for access: one that waits for its person, one that is answered. Not shipped.
import { randomUUID } from 'node:crypto'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const iso = (ms) => new Date(ms).toISOString()
const choice = (code, title) => ({ code, title })
const OUTCOMES = [choice('viewed', 'images visionnées sur place'), choice('nothing-found', 'personne non reconnue sur les images'), choice('refused', 'refus'), choice('withdrawn', 'demande retirée')]
const GROUNDS = [
  { ...choice('proceedings', 'procédures engagées ou opérations préliminaires'), title_en: 'proceedings before a court, or preliminary to them', article: 'CSI L253-5 ; R253-6 IV' },
  { ...choice('third-parties', 'droit des tiers'), title_en: 'rights of third parties', article: 'CSI L253-5 ; R253-6 IV' },
]
const IDENTITIES = [choice('shown', 'pièce d’identité présentée, sans copie'), choice('mandate', 'mandat écrit et pièce du mandataire présentés, sans copie')]
const lack = (field, article, text_fr, text_en) => ({ field, article, text_fr, text_en })
const NO_IDENTITY = lack('identity', 'RGPD 12 § 6', 'La vérification de l’identité : une pièce présentée, dont aucune copie n’est gardée.', 'The check of identity: a document that was shown, of which no copy is kept.')
const NO_GROUND = lack('grounds', 'CSI L253-5, R253-6 IV', 'Un refus repose sur un motif de la loi au moins ; une autre réponse n’en a pas.', 'A refusal stands on one of the law’s grounds at least; another answer has none.')
const NO_VIEWING = lack('viewing', 'CSI R253-6 IV', 'Aucun visionnage n’est inscrit.', 'No viewing is entered.')

export class AccessDesk {
  constructor() {
    const now = Date.now()
    const window = (camera, ageMs) => ({ camera, from: iso(now - ageMs), to: iso(now - ageMs + 600_000) })
    this.requests = [
      requestOf(2, { received: iso(now - HOUR), person: 'La personne qui demande', contact: '2 place de la Mairie', words: 'Place du marché, hier vers midi, manteau rouge et vélo.', windows: [window('cam-a', 26 * HOUR)], means: 'counter', wish: 'view' }, now + 2 * DAY),
      { ...requestOf(1, { received: iso(now - 9 * DAY), person: 'Une autre personne', contact: 'par courriel', words: 'Gare, le soir.', windows: [], means: 'mail', wish: 'destruction' }, now), ...answered('personne non reconnue sur les images', [], 'Nous avons regardé la gare de 19 h à 21 h.', now - 8 * DAY) },
    ]
  }

  /** Status and body. */
  answer(method, path, body, who) {
    if (path === '/api/access' && method === 'GET') return [200, { now: iso(Date.now()), more: false, requests: this.requests, means: [choice('counter', 'au guichet'), choice('post', 'courrier'), choice('mail', 'courriel')], wishes: [choice('view', 'visionner les images'), choice('copy', 'obtenir une copie'), choice('destruction', 'vérifier leur destruction')], identities: IDENTITIES, outcomes: OUTCOMES, grounds: GROUNDS }]
    if (path === '/api/access') return this.enter(body)
    const [, id, act] = /^\/api\/access\/([^/]+)\/(identity|viewings|answer)$/.exec(path) ?? []
    const known = this.requests.find((request) => request.id === id)
    const lacks = this.step(known, act, body, who)
    return [200, { is_done: lacks.length === 0, lacks }]
  }

  enter({ known, ...says }) {
    const before = this.requests.find((request) => request.id === known)
    const made = before ?? requestOf(1 + this.requests.length, says, Date.now() + 6 * DAY)
    if (before === undefined) this.requests.unshift(made)
    Object.assign(made, says, { frozen: says.windows.length > 0 ? 'held' : 'nothing' })
    return [201, { id: made.id, number: made.number, lacks: made.lacks, frozen: made.frozen }]
  }

  step(known, act, body, who) {
    const at = iso(Date.now())
    if (act === 'identity') return Object.assign(known, { identity: { at, means: IDENTITIES.find((each) => each.code === body.means).title, by: who }, lacks: [] }), []
    if (known.identity === null) return [NO_IDENTITY]
    if (act === 'viewings') return known.viewings.push({ at, by: who, present: body.present }), []
    if (body.outcome === 'viewed' && known.viewings.length === 0) return [NO_VIEWING]
    if (body.outcome === 'refused' && body.grounds.length === 0) return [NO_GROUND]
    const titles = body.grounds.map((code) => GROUNDS.find((each) => each.code === code).title)
    return Object.assign(known, answered(OUTCOMES.find((each) => each.code === body.outcome).title, titles, body.reason, Date.now())), []
  }
}

function requestOf(number, says, dueMs) {
  return { id: randomUUID().replaceAll('-', ''), number: `DA-2026-${String(number).padStart(4, '0')}`, version: 1, ...says, due: iso(dueMs), dies: iso(dueMs), frozen: 'held', identity: null, viewings: [], answer: null, lacks: [NO_IDENTITY], letter_fr: null, letter_en: null }
}

function answered(outcome, grounds, reason, atMs) {
  const letter = (object, words) => [object, words, 'Commission départementale de vidéoprotection (CSI L253-5) ; CNIL.']
  return { due: null, frozen: 'nothing', answer: { at: iso(atMs), outcome, grounds, reason }, letter_fr: letter('Objet : votre demande.', reason), letter_en: letter('Object: your request.', reason) }
}
