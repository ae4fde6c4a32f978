// The shapes of the web server's JSON. Times are ISO 8601 UTC with milliseconds; a date is a day of Europe/Paris.

import type { CeremonyOptions } from './passkey'

/** The closed list of CSI R253-3, then those who never see a picture. */
export type Role =
  | 'elected'
  | 'municipal-police'
  | 'operator'
  | 'state-agent'
  | 'other-authority'
  | 'premises-agent'
  | 'private-operator'
  | 'dpo'
  | 'inspector'
  | 'administrator'
/** The eleven purposes of CSI L251-2, by their number. */
export type PurposeNumber = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11
export type Iso = string

export interface Site {
  name: string
  version: string
  /** Length of an hour of keys: 3600, or 600 in simulator builds. */
  hour_seconds: number
  setup_needed: boolean
  /** What the provider is called by which one may sign in too. */
  provider?: string | null
}

export interface Session {
  name: string
  role: Role
  expires_at: Iso
  /** The session locks then, unless the person moves before. */
  locks_at: Iso
}

export interface Ceremony {
  ceremony: string
  options: CeremonyOptions
}

export interface Passkey {
  id: string
  label: string
  added_at: Iso
  used_at: Iso | null
}

export interface SetupBegun {
  name: string
  role: Role
  /** `otpauth://totp/…`, with the seed. */
  otpauth: string
  /** The same as a QR code: a row a line, `1` is dark, without the margin. */
  qr: string[]
}

export interface Account {
  name: string
  role: Role
  /** Each works once instead of a code; told this once. */
  recovery_codes: string[]
}

export type CameraState = 'recording' | 'connecting' | 'away' | 'refused' | 'unknown'

export interface Camera {
  id: string
  name: string
  place: string
  delay_days: number
  purposes: PurposeNumber[]
  state: CameraState
  detail_fr: string
  detail_en: string
  since: Iso | null
  codec: string | null
  width: number | null
  height: number | null
  /** Null where the camera has no sub-stream. */
  sub: SubStream | null
  missing: MissingAct[]
}

export type StreamKind = 'main' | 'sub'

export interface SubStream {
  state: CameraState
  codec: string | null
  width: number | null
  height: number | null
}

export interface Span {
  from: Iso
  to: Iso
}

export interface Gap {
  from: Iso
  to: Iso | null
  cause_fr: string
  cause_en: string
  /** What to do, for a gap that lasts; may be empty. */
  remedy_fr: string
  remedy_en: string
}

export type HourState = 'live' | 'closed' | 'destroyed' | 'empty'

export interface DayHour extends Span {
  /** After this instant the key of the hour no longer exists. */
  deadline: Iso | null
  state: HourState
  destroyed_at: Iso | null
}

export interface Day {
  camera: string
  date: string
  from: Iso
  to: Iso
  now: Iso
  footage: Span[]
  gaps: Gap[]
  hours: DayHour[]
}

export interface LookRequest {
  kind: 'live' | 'replay'
  cameras: string[]
  from?: Iso
  to?: Iso
  purpose?: PurposeNumber
  reason?: string
  /** Under the reason that holds: purpose and reason are left out. */
  continues?: true
}

export interface RecentReason {
  purpose: PurposeNumber
  reason: string
}

/** The reason under which other cameras of its purpose may be looked at. */
export interface HeldReason extends RecentReason {
  until: Iso
  /** Number of the entry of the look for which it was stated. */
  stated: number
}

export interface Reasons {
  held: HeldReason | null
  recent: RecentReason[]
}

export interface Look {
  permit: string
  kind: 'live' | 'replay'
  cameras: string[]
  from: Iso | null
  to: Iso | null
  purpose: PurposeNumber
  reason: string
  expires_at: Iso
  /** Number of the ledger entry written before the first picture. */
  entry: number
  /** The break-glass that alone permits it, and with which it ends. */
  break_glass: string | null
  /** The entry of the look for which the reason was stated; null: for this one. */
  stated: number | null
}

/** What is asked for, open, or waits for the data-protection officer. */
export interface BreakGlass {
  now: Iso
  /** For how long one is open. */
  seconds: number
  /** What a look by it is told. */
  text_fr: string
  text_en: string
  lines: BreakGlassLine[]
}

export interface BreakGlassLine {
  id: string
  state: 'asked' | 'open' | 'ended'
  /** Names and reason as far as this person is told. */
  who: string | null
  second: string | null
  reason: string | null
  cameras: string[]
  at: Iso
  until: Iso | null
  looks: number
  may: ('confirm' | 'look' | 'end' | 'acknowledge')[]
}

export interface BreakGlassBegun {
  id: string
  until: Iso | null
}

export type CheckState = 'ok' | 'warning' | 'alarm'

export interface HealthCheck {
  id: string
  state: CheckState
  title_fr: string
  title_en: string
  detail_fr: string
  detail_en: string
}

export interface HealthCamera {
  id: string
  name: string
  state: CameraState
  detail_fr: string
  detail_en: string
  last_durable: Iso | null
  bytes_per_second: number
  /** The camera's own clock against ours; null where it was not told lately. */
  clock_ahead_ms: number | null
  clock_jumps: number
  missing: MissingAct[]
}

/** A legal paper that a camera lacks: what it is, what follows, what to do. */
export interface MissingAct {
  rule: string
  /** It stops recording and viewing; otherwise it is an alarm. */
  blocks: boolean
  article: string
  title_fr: string
  title_en: string
  text_fr: string
  text_en: string
  remedy_fr: string
  remedy_en: string
}

export interface Health {
  site: string
  now: Iso
  version: string
  state: CheckState
  checks: HealthCheck[]
  cameras: HealthCamera[]
  store: { bytes: number; bytes_used: number; slots: number; slots_free: number }
  ledger: { size: number; checkpoint_size: number; checkpoint_at: Iso | null; root: string; witnesses: HealthWitnesses | null }
  destruction: {
    next_at: Iso | null
    next_hour: Iso | null
    /** Must be 0: bytes whose key still exists after their deadline. */
    bytes_past_deadline: number
    bytes_closed_unconfirmed: number
    /** One a camera and hour. */
    camera_hours_destroyed: number
    last_destroyed_at: Iso | null
  }
  keyring: { kind: string; copies: { state: string }[]; token?: { label: string; state: string } | null; sentence_fr: string; sentence_en: string }
  clock: { state: CheckState; detail_fr: string; detail_en: string }
}

/** What witnesses attested of the log; null in their place: none is asked. */
export interface HealthWitnesses {
  asked: number
  attested_size: number
  attested_at: Iso | null
}

export interface RefusalReason {
  rule: string
  article: string
  text_fr: string
  text_en: string
  /** What would make the request lawful. */
  remedy_fr: string
  remedy_en: string
}

/** RFC 9457 with the texts in both languages. */
export interface Problem {
  type: string
  title: string
  status: number
  detail?: string
  title_fr?: string
  title_en?: string
  detail_fr?: string
  detail_en?: string
  reasons?: RefusalReason[]
  /** Number of the ledger entry of the refusal. */
  entry?: number
  /** Who was refused, as the provider names them: for them to tell the administrator. */
  identity?: string
}
