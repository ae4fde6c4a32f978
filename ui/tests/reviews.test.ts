// The period of a review, by whole days of Paris, and whose office a review is.
import { describe, expect, it } from 'vitest'
import { lastDays, mayAsk, mayReview, periodOf } from '../src/screens/reviews/period'

describe('a review', () => {
  it('takes whole days of Paris, the last one included, also over a change of the clocks', () => {
    expect(periodOf('2026-03-28', '2026-03-29', 31)).toEqual({ from: '2026-03-27T23:00:00.000Z', to: '2026-03-29T22:00:00.000Z' })
    expect(periodOf('2026-07-14', '2026-07-14', 1)).toEqual({ from: '2026-07-13T22:00:00.000Z', to: '2026-07-14T22:00:00.000Z' })
  })

  it('has no period that runs backwards, is too long, or is none', () => {
    for (const [first, last, days] of [['2026-07-15', '2026-07-14', 31], ['2026-07-01', '2026-08-01', 31], ['', '2026-07-14', 31], ['2026-07-14', '', 31]] as const) {
      expect(periodOf(first, last, days)).toBeNull()
    }
  })

  it('proposes so many days with today as the last', () => {
    expect(lastDays(Date.parse('2026-03-11T23:30:00Z'), 30)).toEqual({ first: '2026-02-11', last: '2026-03-12' })
  })

  it('is the office of two roles, and its questions of one', () => {
    expect(['dpo', 'inspector', 'administrator', 'operator', 'elected'].map((role) => [mayReview(role as never), mayAsk(role as never)])).toEqual([
      [true, true], [true, false], [false, false], [false, false], [false, false],
    ])
    expect(mayReview(undefined)).toBe(false)
  })
})
