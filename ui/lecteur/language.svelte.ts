// The language of the player: French, English where the browser is set to it, and a button. Nothing is kept on the computer.
import { fill, typography } from '../src/i18n/text'
import { offsetText, wallOf } from './instants'
import { en } from './texts.en'
import { fr, type TextKey } from './texts.fr'

export type Language = 'fr' | 'en'
type Values = Record<string, string | number>

class LanguageChoice {
  current = $state<Language>(/^en\b/i.test(navigator.language) ? 'en' : 'fr')

  choose(language: Language): void {
    this.current = language
    document.documentElement.lang = language
  }
}

export const language = new LanguageChoice()
document.documentElement.lang = language.current

export function t(key: TextKey, values: Values = {}): string {
  return language.current === 'fr' ? typography(fill(fr[key], values)) : fill(en[key], values)
}

/** A text that the manifest has in both languages, as a sentence. */
export function pick(texts: { fr: string; en: string }): string {
  const text = (language.current === 'fr' ? texts.fr || texts.en : texts.en || texts.fr).trim()
  const ended = text === '' || /[.!?…]$/.test(text) ? text : `${text}.`
  return language.current === 'fr' ? typography(ended) : ended
}

/** `12/03/2026 14:03:22 (UTC+1)`; with thousandths where one picture is meant. */
export function instantText(at: number, isExact = false): string {
  const wall = wallOf(at)
  const fraction = isExact ? `${language.current === 'fr' ? ',' : '.'}${wall.thousandths}` : ''
  return `${dayText(at)} ${wall.time}${fraction} (${offsetText(wall.offset)})`
}

/** `12/03/2026`, in both languages. */
export function dayText(at: number): string {
  return wallOf(at).date.split('-').reverse().join('/')
}

export function speedText(speed: number): string {
  const text = String(Math.abs(speed))
  return language.current === 'fr' ? text.replace('.', ',') : text
}
