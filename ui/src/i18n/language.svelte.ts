// The language of the console: French first, English by a switch, remembered on this computer.
import { en } from './messages.en'
import { fr, type MessageKey } from './messages.fr'
import { fill, typography } from './text'

export type Language = 'fr' | 'en'
const STORED = 'vigie-language'

class LanguageChoice {
  current = $state<Language>(stored())

  choose(language: Language): void {
    this.current = language
    document.documentElement.lang = language
    try {
      localStorage.setItem(STORED, language)
    } catch {
      // Storage may be forbidden: the choice then holds until the page closes.
    }
  }
}

export const language = new LanguageChoice()
document.documentElement.lang = language.current

export type Values = Record<string, string | number>

/** The message in the language in force. */
export function t(key: MessageKey, values: Values = {}): string {
  return language.current === 'fr' ? typography(fill(fr[key], values)) : fill(en[key], values)
}

/** `key.one` or `key.other`, by the count. */
export function plural(key: string, count: number, values: Values = {}): string {
  // French counts 0 and 1 as singular, English only 1.
  const one = language.current === 'fr' ? Math.abs(count) < 2 : count === 1
  return t(`${key}.${one ? 'one' : 'other'}` as MessageKey, { count, ...values })
}

/** A text that the server gives in both languages. */
export function pick(texts: object, field: string): string {
  const all = texts as Record<string, unknown>
  const other = language.current === 'fr' ? 'en' : 'fr'
  const found = all[`${field}_${language.current}`] ?? all[`${field}_${other}`] ?? all[field]
  const text = typeof found === 'string' ? found : ''
  return language.current === 'fr' ? typography(text) : text
}

function stored(): Language {
  try {
    return localStorage.getItem(STORED) === 'en' ? 'en' : 'fr'
  } catch {
    return 'fr'
  }
}
