// Claims about the texts: complete in both languages, same placeholders, every key used and every used key known.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { en } from '../src/i18n/messages.en'
import { fr } from '../src/i18n/messages.fr'
import { PURPOSES } from '../src/i18n/purposes'
import { fill, typography } from '../src/i18n/text'

const SOURCE = join(import.meta.dirname, '..', 'src')
const texts = { fr: fr as Record<string, string>, en: en as Record<string, string> }
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

function sources(): string {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(svelte|ts)$/.test(name) && !/messages\./.test(name))
  return files.map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n')
}

describe('messages', () => {
  it('French and English have the same keys, none empty', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(fr).sort())
    for (const [key, text] of [...Object.entries(texts.fr), ...Object.entries(texts.en)]) expect(text.trim(), key).not.toBe('')
  })
  it('a message has the same placeholders in both languages', () => {
    for (const key of Object.keys(fr)) expect(placeholders(texts.en[key]!), key).toEqual(placeholders(texts.fr[key]!))
  })
  it('no English message is a copy of the French one', () => {
    const same = Object.keys(fr).filter((key) => texts.fr[key] === texts.en[key])
    // The same word in both languages.
    expect(same.sort()).toEqual([
      'health.copies', 'health.destruction', 'health.per-second', 'hours.destruction', 'hours.gaps', 'look.purpose-number', 'replay.pause', 'timeline.gap',
      'timeline.short-hours', 'timeline.short-minutes',
    ])
  })
  it('every key is used, and every key used in the code is known', () => {
    const code = sources()
    const literal = new Set([...code.matchAll(/'([a-z-]+\.[a-z0-9.-]+)'/g)].map((match) => match[1]!))
    // t(`role.${role}`) and plural('day.in-…') build keys from a beginning.
    const beginnings = [...code.matchAll(/[`']([a-z-]+\.[a-z-]*)(?:\$\{|')/g)].map((match) => match[1]!)
    const unused = Object.keys(fr).filter((key) => !literal.has(key) && !beginnings.some((start) => key.startsWith(start)))
    expect(unused).toEqual([])
    const places = new Set(Object.keys(fr).map((key) => key.split('.')[0]))
    const unknown = [...literal].filter((key) => places.has(key.split('.')[0]) && !(key in fr) && !(`${key}.one` in fr))
    expect(unknown).toEqual([])
  })
})

describe('purposes', () => {
  it('are the eleven of the law in their order, in both languages', () => {
    expect(PURPOSES.map((purpose) => purpose.number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    for (const purpose of PURPOSES) expect(purpose.fr).not.toBe(purpose.en)
  })
})

describe('French typography', () => {
  it('does not let a double sign begin a line', () => {
    expect(typography('Motif : oui ; « non » !')).toBe('Motif\u00a0: oui\u00a0; «\u00a0non\u00a0»\u00a0!')
  })
  it('fills placeholders and leaves one without a value visible', () => {
    expect(fill('{a} et {b}', { a: 1 })).toBe('1 et {b}')
  })
})
