// "détruite dans 6 jours": the words for what is left until a deadline.
import { remaining } from '../timeline/arithmetic'
import { plural, t } from './language.svelte'

export function remainingWords(deadlineMs: number, nowMs: number): string {
  const left = remaining(deadlineMs, nowMs)
  return left.unit === 'due' ? t('day.in-due') : plural(`day.in-${left.unit}`, left.count)
}
