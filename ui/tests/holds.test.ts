// Claims about holds: what ends first and when that is a warning, what is left in words, what fits the reserve, what a form may send.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Requisition } from '../src/api/exports'
import type { Hold } from '../src/api/holds'
import { formatBytes } from '../src/i18n/format'
import { en } from '../src/i18n/messages.en'
import { fr } from '../src/i18n/messages.fr'
import { countdownWords } from '../src/i18n/remaining'
import { fill } from '../src/i18n/text'
import {
  URGENT_MS, asksForAll, emptyHold, endsOf, filledFrom, fits, freeBytes, holdFaults, holdNumber, isMoving, isUrgent, notRefused, over, percentOf, requestOf, standing,
} from '../src/screens/requisitions/hold'

const language = vi.hoisted(() => ({ current: 'fr' }))
// the language in force is a rune, which only the Svelte compiler knows
vi.mock('../src/i18n/language.svelte', () => ({
  language,
  t: (key: keyof typeof fr, values = {}) => fill({ fr, en }[language.current as 'fr' | 'en'][key], values),
}))

const NOW = Date.parse('2026-07-14T10:00:00Z')
const HOUR = 3_600_000
const iso = (ms: number) => new Date(ms).toISOString()
const WINDOW = { camera: 'ca', from: '2026-07-13T12:00:00.000Z', to: '2026-07-13T12:10:00.000Z' }

/** One that stands, whose hours end so many milliseconds from now. */
function hold(dies: number[], more: Partial<Hold> = {}): Hold {
  const hours = dies.map((ms, nth) => ({ hour: iso(NOW - (nth + 1) * HOUR), dies: iso(NOW + ms) }))
  return {
    id: 'a', number: 7, leaf: 40, opened: iso(NOW - HOUR), who: 'police', requester: 'OPJ', reason: 'Rixe signalée.', windows: [WINDOW], hours,
    ends: dies.length === 0 ? null : iso(NOW + Math.min(...dies)), requisition: null, requisition_number: null, kept_bytes: 10, ended: null, why: null, why_fr: null,
    missing: 0, is_destroyed: false, certificate_fr: null, certificate_en: null, ...more,
  }
}

function requisition(more: Partial<Requisition>): Requisition {
  const authority = { name: 'M. Durand', quality: 'opj', matricule: '', service: 'commissariat', court: '' }
  return {
    id: 'r', number: '2026-0001', version: 1, lacks: [], exports: [], answer: null, deliveries: [], viewings: [], opinions: [], letter_fr: null, letter_en: null, received: iso(NOW), means: 'oral', authority,
    framework: 'cpp60-1', framework_other: '', authorisation_reference: null, authorisation_general: null, procedure: '', object: '', windows: [WINDOW], scan: null, genuine: null, validator: '', ...more,
  }
}

beforeEach(() => {
  language.current = 'fr'
})

describe('a hold', () => {
  it('has a number of its own, of four digits at least', () => {
    expect([holdNumber(7), holdNumber(12_345)]).toEqual(['G-0007', 'G-12345'])
  })
  it('ends with the first of its hours, and the others follow', () => {
    expect(endsOf(hold([90 * HOUR, 60 * HOUR, 75 * HOUR]))).toEqual({ firstMs: NOW + 60 * HOUR, lastMs: NOW + 90 * HOUR })
    expect(endsOf(hold([]))).toBeNull()
    expect(endsOf(hold([HOUR], { ended: iso(NOW) }))).toBeNull()
  })
  it('is a warning below 48 hours, as long as no requisition is bound', () => {
    expect([isUrgent(hold([URGENT_MS]), NOW), isUrgent(hold([URGENT_MS - 1]), NOW), isUrgent(hold([90 * HOUR, HOUR]), NOW)]).toEqual([false, true, true])
    expect(isUrgent(hold([HOUR], { requisition: 'r', requisition_number: '2026-0001' }), NOW)).toBe(false)
    expect(isUrgent(hold([], { ended: iso(NOW) }), NOW)).toBe(false)
  })
  it('is asked for again while it is copied, due, or not confirmed dead', () => {
    expect([hold([HOUR]), hold([HOUR], { kept_bytes: null }), hold([0])].map((each) => isMoving(each, NOW))).toEqual([false, true, true])
    expect([false, true].map((is_destroyed) => isMoving(hold([], { ended: iso(NOW), is_destroyed }), NOW))).toEqual([true, false])
  })
  it('stands above what has ended, the one that ends first above the others', () => {
    const all = [hold([90 * HOUR], { id: 'late' }), hold([], { id: 'old', ended: iso(NOW - HOUR) }), hold([HOUR], { id: 'soon' }), hold([], { id: 'new', ended: iso(NOW) })]
    expect([standing(all), over(all)].map((part) => part.map((each) => each.id))).toEqual([['soon', 'late'], ['new', 'old']])
  })
})

describe('what is left of it', () => {
  const words = (ms: number) => countdownWords(NOW + ms, NOW)
  it('is days and hours from two days on, and to the second below', () => {
    expect([6 * 24 * HOUR + 4.9 * HOUR, 48 * HOUR, 48 * HOUR - 1000, 65_000, 0, -HOUR].map(words)).toEqual(['6 j 4 h', '2 j 0 h', '47:59:59', '1:05', '0:00', '0:00'])
  })
  it('is said in the language in force', () => {
    language.current = 'en'
    expect(words(6 * 24 * HOUR)).toBe('6 d 0 h')
  })
})

describe('the reserve', () => {
  it('is told in decimal units, as disks are sold', () => {
    expect([1_234_000_000, 3_400_000_000, 0].map(formatBytes)).toEqual(['1,2\u00a0Go', '3,4\u00a0Go', '0\u00a0o'])
    language.current = 'en'
    expect([1_234_000_000, 250_000].map(formatBytes)).toEqual(['1.2\u00a0GB', '250\u00a0kB'])
  })
  it('is never shown emptier than it is, and one that is away is full', () => {
    expect([percentOf(0, 1000), percentOf(1, 1000), percentOf(999, 1000), percentOf(1200, 1000), percentOf(0, 0)]).toEqual([0, 1, 100, 100, 100])
  })
  it('takes what is not larger than what is free', () => {
    const reserve = { used_bytes: 60, max_bytes: 100 }
    expect([freeBytes(reserve), freeBytes({ used_bytes: 120, max_bytes: 100 })]).toEqual([40, 0])
    expect([fits({ ...reserve, bytes: 40 }), fits({ ...reserve, bytes: 41 })]).toEqual([true, false])
  })
})

describe('a requisition', () => {
  it('asks for all of a hold, or not', () => {
    const asks = (...windows: Requisition['windows']) => asksForAll(requisition({ windows }), [WINDOW])
    expect(asks(WINDOW)).toBe(true)
    expect(asks({ ...WINDOW, camera: 'cb' }, { ...WINDOW, from: '2026-07-13T12:00:01.000Z' })).toBe(false)
    expect(asks({ ...WINDOW, from: '2026-07-13T14:00:00+02:00', to: '2026-07-13T14:30:00+02:00' })).toBe(true)
  })
  it('that the town refused is none to bind to', () => {
    const answer = { at: iso(NOW), outcome: 'refused', ground: null, reason: '' }
    expect(notRefused([requisition({ id: 'a', answer }), requisition({ id: 'b', answer: { ...answer, outcome: 'partial' } }), requisition({ id: 'c' })]).map((each) => each.id)).toEqual(['b', 'c'])
  })
})

describe('the form', () => {
  const line = { camera: 'ca', date: '2026-07-13', from: '14:00', to: '14:10' }
  const draft = { ...emptyHold(NOW), requester: ' OPJ ', reason: 'Rixe signalée place du Marché.', windows: [line] }
  it('names what is missing', () => {
    expect(holdFaults(emptyHold(NOW), NOW)).toEqual(['requester', 'reason', 'windows'])
    expect(holdFaults(draft, NOW)).toEqual([])
    expect(holdFaults({ ...draft, requester: 'é'.repeat(201), reason: 'x'.repeat(501) }, NOW)).toEqual(['requester', 'reason'])
  })
  it('holds nothing that is not recorded yet, and no line that is half written', () => {
    for (const wrong of [{ ...line, date: '2026-07-14', to: '12:00:01' }, { ...line, to: '' }]) {
      expect(holdFaults({ ...draft, windows: [line, wrong] }, NOW), JSON.stringify(wrong)).toEqual(['windows'])
    }
    // 12:00 in Paris is now
    expect(holdFaults({ ...draft, windows: [{ ...line, date: '2026-07-14', from: '11:00', to: '12:00' }] }, NOW)).toEqual([])
  })
  it('sends what was said, with a requisition or without', () => {
    const asked = { requester: 'OPJ', reason: draft.reason, windows: [WINDOW] }
    expect(requestOf({ ...draft, windows: [line, emptyHold(NOW).windows[0]!] })).toEqual({ ...asked, requisition: null })
    expect(requestOf({ ...draft, requisition: 'r' })).toEqual({ ...asked, requisition: 'r' })
  })
  it('takes from its requisition what nobody typed, and replaces nothing', () => {
    const filled = filledFrom(emptyHold(NOW), requisition({}))
    expect([filled.requester, requestOf(filled).windows]).toEqual(['M. Durand, commissariat', [WINDOW]])
    expect(filledFrom(draft, requisition({ windows: [] }))).toEqual(draft)
    expect(filledFrom(draft, requisition({ windows: [{ ...WINDOW, camera: 'cb' }] }))).toEqual(draft)
  })
})
