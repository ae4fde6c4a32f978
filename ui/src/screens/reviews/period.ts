// A review's period as a person chooses it, by whole days of Paris, and who reviews. Pure.
import type { Period } from '../../api/reviews'
import type { Role } from '../../api/types'
import { isDate } from '../../route'
import { parisClock, parisInstant, shiftDate } from '../../timeline/paris'

export const REVIEW_DAYS_MAX = 366
export const QUESTION_DAYS_MAX = 31

export function mayReview(role: Role | undefined): boolean {
  return role === 'dpo' || role === 'inspector'
}

/** Questions, and names behind pseudonyms, are the data-protection officer's. */
export function mayAsk(role: Role | undefined): boolean {
  return role === 'dpo'
}

/** From the first day's beginning to the last day's end; null for what is no period of at most so many days. */
export function periodOf(first: string, last: string, daysMax: number): Period | null {
  if (!isDate(first) || !isDate(last)) return null
  const from = parisInstant(first, '00:00')
  const to = parisInstant(shiftDate(last, 1), '00:00')
  if (from === null || to === null || to <= from || to - from > daysMax * 86_400_000) return null
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
}

/** So many days, today the last of them. */
export function lastDays(nowMs: number, days: number): { first: string; last: string } {
  const last = parisClock(nowMs).date
  return { first: shiftDate(last, 1 - days), last }
}
