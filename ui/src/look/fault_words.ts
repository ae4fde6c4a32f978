// A reason's fault in a sentence.
import { plural, t } from '../i18n/language.svelte'
import type { ReasonFault } from './statement'

export function faultWords(fault: ReasonFault, length: number): string {
  if (fault === 'short') return plural('look.reason-short', length)
  return fault === 'long' ? t('look.reason-long', { count: length }) : t(`look.reason-${fault}`)
}
