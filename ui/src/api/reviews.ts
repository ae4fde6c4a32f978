// What reviews say, as the web server tells it: words and counts, by time, never a figure of what one person did.
import type { Iso, MissingAct, PurposeNumber, RefusalReason, Role } from './types'

export interface Period {
  from: Iso
  to: Iso
}

export interface Trace {
  /** Number of the entry of this reading; null in one's own trace. */
  entry: number | null
  /** The newest first. */
  lines: TraceLine[]
  /** There is more: ask for entries before this number. */
  before: number | null
  totals: { looks: number; refusals: number; exports: number; reviews: number; names: number } | null
  ended: EndedMonth[]
}

export interface TraceLine {
  entry: number
  at: Iso
  /** A pseudonym of the period; null in one's own trace. */
  who: string | null
  kind: 'look' | 'refusal' | 'review' | 'name' | 'export'
  live: boolean | null
  action: string | null
  cameras: string[]
  cameras_more: number
  from: Iso | null
  to: Iso | null
  purpose: PurposeNumber | null
  reason: string | null
  rules: Pick<RefusalReason, 'rule' | 'text_fr' | 'text_en'>[]
  pseudonym: string | null
  of_me: boolean
}

/** A month whose details nobody can read any more, and what the log still proves. */
export interface EndedMonth {
  month: string
  first: number
  last: number
  ended_at: Iso | null
  ended_entry: number | null
  log_size: number
  root: string
}

export interface Accounts {
  entry: number
  accounts: ReviewedAccount[]
}

export interface ReviewedAccount {
  name: string
  role: Role
  closed: boolean
  acts: { kind: 'habilitation' | 'approval'; number: string; from: Iso; end: Iso | null; holds: boolean }[]
  missing: MissingAct[]
  trained_on: Iso | null
  training_is_old: boolean
}

export interface Questions {
  entry: number
  informed_from: Iso
  questions: Question[]
  more: boolean
}

export interface Question {
  about: 'night' | 'place' | 'same-words'
  who: string
  camera: string | null
  reason: string | null
  looks: { entry: number; at: Iso }[]
  more: boolean
}

export interface NameRequest extends Period {
  pseudonym: string
  reason: string
  password: string
  code: string
  second_name: string
  second_password: string
  second_code: string
}

export interface Name {
  entry: number
  pseudonym: string
  name: string
  role: Role
}
