// "détruite dans 6 jours", "6 j 4 h": the words for what is left until a deadline.
import { HOUR_MS, remaining } from '../timeline/arithmetic'
import { formatCountdown } from './format'
import { plural, t } from './language.svelte'

export function remainingWords(deadlineMs: number, nowMs: number): string {
  const left = remaining(deadlineMs, nowMs)
  return left.unit === 'due' ? t('day.in-due') : plural(`day.in-${left.unit}`, left.count)
}

/** `6 j 4 h` from two days on, to the second below: `41:12:05`. */
export function countdownWords(deadlineMs: number, nowMs: number): string {
  const left = remaining(deadlineMs, nowMs)
  if (left.unit !== 'days') return formatCountdown(deadlineMs - nowMs)
  return t('hold.left-days', { days: left.count, hours: Math.floor((deadlineMs - nowMs) / HOUR_MS) % 24 })
}
