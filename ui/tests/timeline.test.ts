// Claims about the timeline's arithmetic and the clock of Paris.
import { describe, expect, it } from 'vitest'
import type { Day, DayHour, HourState } from '../src/api/types'
import {
  HOUR_MS, MINUTE_MS, askedUntil, bar, begun, clampWindow, foldGaps, gapFields, gapsWithin, hourGroups, keyStep, momentAt, nextFootage, recordedMs, remaining, reveal, ticks, timeOf, xOf, zoom,
} from '../src/timeline/arithmetic'
import { serverAhead } from '../src/server_time'
import { parisClock, parisInstant, shiftDate } from '../src/timeline/paris'

const FROM = Date.parse('2026-03-11T23:00:00.000Z')
const whole = { fromMs: FROM, toMs: FROM + 24 * HOUR_MS }
const iso = (ms: number) => new Date(ms).toISOString()

function hour(index: number, state: HourState): DayHour {
  return {
    from: iso(FROM + index * HOUR_MS), to: iso(FROM + (index + 1) * HOUR_MS), state,
    deadline: state === 'empty' ? null : iso(FROM + index * HOUR_MS + 30 * 24 * HOUR_MS),
    destroyed_at: state === 'destroyed' ? iso(FROM + index * HOUR_MS + 30 * 24 * HOUR_MS) : null,
  }
}

const day: Day = {
  camera: 'c1', date: '2026-03-12', from: iso(whole.fromMs), to: iso(whole.toMs), now: iso(FROM + 10 * HOUR_MS),
  footage: [
    { from: iso(FROM + 3 * HOUR_MS), to: iso(FROM + 5 * HOUR_MS) },
    { from: iso(FROM + 5 * HOUR_MS + 10 * MINUTE_MS), to: iso(FROM + 10 * HOUR_MS) },
  ],
  gaps: [{ from: iso(FROM + 5 * HOUR_MS), to: iso(FROM + 5 * HOUR_MS + 10 * MINUTE_MS), cause_fr: 'caméra injoignable', cause_en: 'camera away', remedy_fr: 'vérifiez', remedy_en: 'check' }],
  hours: Array.from({ length: 24 }, (_, index) =>
    hour(index, index < 2 ? 'destroyed' : index === 2 ? 'empty' : index === 3 ? 'closed' : index < 10 ? 'live' : 'empty')),
}

describe('instants and pixels', () => {
  it('a pixel and its instant are each other’s inverse', () => {
    for (const x of [0, 1, 333, 799, 800]) expect(xOf(timeOf(x, whole, 800), whole, 800)).toBeCloseTo(x, 6)
  })
  it('a span outside the window has no bar and a short one is at least a pixel', () => {
    expect(bar(whole.toMs, whole.toMs + 1, whole, 800)).toBeNull()
    expect(bar(FROM, FROM + 1000, whole, 800)).toEqual({ x: 0, width: 1 })
    expect(bar(FROM - HOUR_MS, FROM + 12 * HOUR_MS, whole, 800)).toEqual({ x: 0, width: 400 })
  })
  it('zooming keeps the instant under the eye and never leaves the day', () => {
    const at = FROM + 6 * HOUR_MS
    const near = zoom(whole, 0.25, at, whole)
    expect(near.toMs - near.fromMs).toBe(6 * HOUR_MS)
    expect(xOf(at, near, 800)).toBeCloseTo(xOf(at, whole, 800), 6)
    expect(zoom(near, 100, at, whole)).toEqual(whole)
    expect(zoom(whole, 1e-9, whole.toMs, whole)).toEqual({ fromMs: whole.toMs - MINUTE_MS, toMs: whole.toMs })
  })
  it('a window pushed beyond midnight stops at midnight', () => {
    expect(clampWindow({ fromMs: FROM - HOUR_MS, toMs: FROM + HOUR_MS }, whole)).toEqual({ fromMs: FROM, toMs: FROM + 2 * HOUR_MS })
  })
  it('the window follows a chosen instant that left it', () => {
    const view = { fromMs: FROM, toMs: FROM + HOUR_MS }
    const at = FROM + 3 * HOUR_MS
    const moved = reveal(view, at, whole)
    expect(at).toBeGreaterThan(moved.fromMs)
    expect(at).toBeLessThan(moved.toMs)
    expect(reveal(view, FROM + MINUTE_MS, whole)).toBe(view)
  })
  it('labels stand far enough apart at every zoom', () => {
    for (const length of [MINUTE_MS, 7 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS, 25 * HOUR_MS]) {
      for (const width of [320, 800, 1900]) {
        const all = ticks({ fromMs: FROM + 12345, toMs: FROM + 12345 + length }, width, FROM, 60)
        const apart = all.slice(1).map((each, index) => ((each - all[index]!) / length) * width)
        expect(Math.min(...apart, Infinity)).toBeGreaterThanOrEqual(60)
      }
    }
  })
  it('an arrow key moves by a length a person can name', () => {
    expect(keyStep(whole)).toBe(15 * MINUTE_MS)
    expect(keyStep({ fromMs: 0, toMs: MINUTE_MS })).toBe(1000)
  })
})

describe('what lies at an instant', () => {
  it('destroyed and closed hours go before what was once recorded there', () => {
    expect(momentAt(day, FROM + HOUR_MS).kind).toBe('destroyed')
    expect(momentAt(day, FROM + 3.5 * HOUR_MS).kind).toBe('closed')
  })
  it('footage, gap with its cause, nothing and the future are told apart', () => {
    expect(momentAt(day, FROM + 4.5 * HOUR_MS).kind).toBe('footage')
    expect(momentAt(day, FROM + 5 * HOUR_MS)).toMatchObject({ kind: 'gap', gap: { cause_en: 'camera away' } })
    expect(momentAt(day, FROM + 2.5 * HOUR_MS).kind).toBe('nothing')
    expect(momentAt(day, FROM + 10 * HOUR_MS).kind).toBe('future')
  })
  it('a gap that is still open reaches to now', () => {
    const open: Day = { ...day, footage: [], gaps: [{ ...day.gaps[0]!, to: null }] }
    expect(momentAt(open, FROM + 9.9 * HOUR_MS).kind).toBe('gap')
  })
  it('the next footage skips what is closed and what is a gap', () => {
    expect(nextFootage(day, FROM)).toBe(FROM + 4 * HOUR_MS)
    expect(nextFootage(day, FROM + 5 * HOUR_MS + 1)).toBe(FROM + 5 * HOUR_MS + 10 * MINUTE_MS)
    expect(nextFootage(day, FROM + 11 * HOUR_MS)).toBeNull()
  })
  it('recorded time within an hour does not count its gap', () => {
    expect(recordedMs(day, day.hours[5]!.from, day.hours[5]!.to)).toBe(50 * MINUTE_MS)
  })
  it('hours that die in the same number of days are one group, and dead or empty hours are in none', () => {
    const groups = hourGroups(day.hours, (each) => (each.from < iso(FROM + 6 * HOUR_MS) ? 'soon' : 'later'))
    expect(groups).toEqual([
      { fromMs: FROM + 4 * HOUR_MS, toMs: FROM + 6 * HOUR_MS, words: 'soon' },
      { fromMs: FROM + 6 * HOUR_MS, toMs: FROM + 10 * HOUR_MS, words: 'later' },
    ])
  })
})

describe('the gaps of an hour', () => {
  const gap = (from: number, to: number | null) => ({ ...day.gaps[0]!, from: iso(FROM + from), to: to === null ? null : iso(FROM + to) })
  it('are cut to the hour and stand in their order, and one that lasts ends now', () => {
    const gaps = [gap(5.5 * HOUR_MS, null), gap(4 * HOUR_MS, 5.25 * HOUR_MS), gap(3 * HOUR_MS, 5 * HOUR_MS)]
    const parts = gapsWithin(gaps, day.hours[5]!, FROM + 5.75 * HOUR_MS)
    expect(parts.map((part) => [part.fromMs - FROM, part.toMs - FROM])).toEqual([
      [5 * HOUR_MS, 5.25 * HOUR_MS], [5.5 * HOUR_MS, 5.75 * HOUR_MS],
    ])
    expect(gapsWithin(gaps, day.hours[6]!, FROM + 5.75 * HOUR_MS)).toEqual([])
  })
  it('beyond the first few are folded, but one that lasts is always seen', () => {
    const many = [...Array.from({ length: 200 }, (_, index) => gap(5 * HOUR_MS + index * 10_000, 5 * HOUR_MS + index * 10_000 + 5000)), gap(5.9 * HOUR_MS, null)]
    const { seen, folded } = foldGaps(gapsWithin(many, day.hours[5]!, FROM + 5.95 * HOUR_MS), 3)
    expect(seen.map((part) => part.fromMs - FROM - 5 * HOUR_MS)).toEqual([0, 10_000, 20_000, 0.9 * HOUR_MS])
    expect(folded.length).toBe(197)
  })
  it('name their remedy only while they last', () => {
    expect(gapFields(gap(0, 1))).toEqual(['cause'])
    expect(gapFields(gap(0, null))).toEqual(['cause', 'remedy'])
  })
  it('hours to come are not among those that have begun, though their keys exist', () => {
    expect(begun(day.hours, FROM + 2 * HOUR_MS).length).toBe(3)
    expect(begun(day.hours, FROM - 1)).toEqual([])
  })
})

describe('the server’s clock', () => {
  const DATE = Date.parse('Thu, 12 Mar 2026 10:00:00 GMT')
  it('is taken over from a computer that is wrong by any length, never beyond what the server has reached', () => {
    for (const wrongMs of [-3 * 24 * HOUR_MS, -90_000, 0, 90_000, 365 * 24 * HOUR_MS]) {
      // the server wrote 10:00:00 at 10:00:00.400 of its own time
      const ours = (serverMs: number) => serverMs + wrongMs
      const ahead = serverAhead(null, DATE, ours(DATE + 380), ours(DATE + 420))
      expect(ours(DATE + 420) + ahead).toBe(DATE)
      // later answers bring it nearer, and none takes it beyond
      const nearer = serverAhead(ahead, DATE + 1000, ours(DATE + 980), ours(DATE + 1020))
      expect(ours(DATE + 1020) + nearer).toBe(DATE + 1000)
      expect(serverAhead(nearer, DATE + 1000, ours(DATE + 1700), ours(DATE + 1720))).toBe(nearer)
    }
  })
  it('is followed when it is set back', () => {
    expect(serverAhead(0, DATE - HOUR_MS, DATE, DATE + 10)).toBe(-HOUR_MS - 10)
  })
  it('decides how much of a replay has come: a computer that is behind does not shorten it', () => {
    const from = DATE - HOUR_MS
    const slow = DATE - 3 * HOUR_MS
    const ahead = serverAhead(null, DATE, slow, slow)
    expect(askedUntil(from, 30, slow + ahead)).toBe(from + 30 * MINUTE_MS)
    expect(askedUntil(from, 120, slow + ahead)).toBe(DATE)
    expect(askedUntil(DATE, 30, DATE)).toBe(DATE + 1000)
  })
})

describe('what is left until destruction', () => {
  it('is rounded down and never promises longer than is true', () => {
    expect(remaining(7 * 24 * HOUR_MS - 1, 0)).toEqual({ unit: 'days', count: 6 })
    expect(remaining(47.9 * HOUR_MS, 0)).toEqual({ unit: 'hours', count: 47 })
    expect(remaining(119 * MINUTE_MS, 0)).toEqual({ unit: 'minutes', count: 119 })
    expect(remaining(59_999, 0)).toEqual({ unit: 'due', count: 0 })
    expect(remaining(0, 5)).toEqual({ unit: 'due', count: 0 })
  })
})

describe('the clock of Paris', () => {
  it('an instant goes to the clock and back, in winter and in summer', () => {
    for (const text of ['2026-01-15T12:34:56.000Z', '2026-07-15T22:30:00.000Z']) {
      const { date, time } = parisClock(Date.parse(text))
      expect(parisInstant(date, time)).toBe(Date.parse(text))
    }
  })
  it('the hour that does not exist in March is no instant', () => {
    expect(parisInstant('2026-03-29', '02:30')).toBeNull()
    expect(parisInstant('2026-03-29', '03:00')).toBe(Date.parse('2026-03-29T01:00:00Z'))
  })
  it('the hour that comes twice in October means the first one', () => {
    expect(parisInstant('2026-10-25', '02:30')).toBe(Date.parse('2026-10-25T00:30:00Z'))
  })
  it('what is not a time is no instant', () => {
    for (const text of ['', '25:00', 'midi']) expect(parisInstant('2026-03-12', text)).toBeNull()
  })
  it('the day after goes over the end of a month', () => {
    expect(shiftDate('2026-02-28', 1)).toBe('2026-03-01')
    expect(shiftDate('2026-01-01', -1)).toBe('2025-12-31')
  })
})
