// Requests for access (droit d'accès): who asks to see themselves, and what was answered, as the web server tells it.
import type { Choice, ExportWindow, Lack } from './exports'
import type { Iso } from './types'

export interface AccessSays {
  received: Iso
  means: string
  wish: string
  person: string
  /** Where the answer goes. */
  contact: string
  /** Place and time in the person's own words. */
  words: string
  windows: ExportWindow[]
}

/** Whether what lives of the windows is held; `not-asked`: it lives and is not. */
export type Frozen = 'held' | 'nothing' | 'not-asked'

export interface AccessRequest extends AccessSays {
  id: string
  /** `DA-2026-0001` */
  number: string
  version: number
  /** By when it is answered; null: it is. */
  due: Iso | null
  /** When the first of its pictures die; null: none lives. */
  dies: Iso | null
  frozen: Frozen
  identity: { at: Iso; means: string; by: string } | null
  viewings: { at: Iso; by: string; present: string }[]
  answer: { at: Iso; outcome: string; grounds: string[]; reason: string } | null
  lacks: Lack[]
  letter_fr: string[] | null
  letter_en: string[] | null
}

export interface AccessGround extends Choice {
  title_en: string
  article: string
}

export interface AccessRequests {
  now: Iso
  more: boolean
  requests: AccessRequest[]
  means: Choice[]
  wishes: Choice[]
  identities: Choice[]
  outcomes: Choice[]
  grounds: AccessGround[]
}

export interface AccessEntered {
  id: string
  number: string
  lacks: Lack[]
  frozen: Frozen
}

export interface AccessStep {
  is_done: boolean
  lacks: Lack[]
}
